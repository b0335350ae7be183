// All pages. A new one is an entry here and a folder of its own. (`/metrics` is taken: the server's own, for Prometheus.)
import type { IconNode } from 'lucide';
import {
  Bell,
  ChartLine,
  ChartNoAxesGantt,
  Crosshair,
  HeartPulse,
  House,
  Logs,
  OctagonAlert,
  Package,
  SlidersHorizontal,
  Waypoints,
} from 'lucide';
import type { ComponentType } from 'preact';

export type Page = ComponentType<{ id: string }>;

export interface PageEntry {
  /** Its address; one group is handed to the page as `id`. */
  at: RegExp;
  /** Its file, loaded when it is first wanted. */
  load: () => Promise<Page>;
  /** Does the range of time (and live) mean anything here? Known before the file has come, so that the frame does not change. */
  ranged: boolean;
  /** Which tab it belongs to. */
  tab: string;
}

export interface Tab {
  id: string;
  label: string;
  to: string;
  icon: IconNode;
  /** Typed after `g`. */
  key: string;
  /** Stands apart at the lower end of the rail. */
  low?: true;
}

/** In the order of the rail; where the screen is narrow the first five stand at its foot and the others under "More". */
export const TABS: Tab[] = [
  { id: 'home', label: 'Home', to: '/', icon: House, key: 'h' },
  { id: 'issues', label: 'Issues', to: '/issues', icon: OctagonAlert, key: 'i' },
  { id: 'traces', label: 'Traces', to: '/traces', icon: ChartNoAxesGantt, key: 't' },
  { id: 'logs', label: 'Logs', to: '/logs', icon: Logs, key: 'l' },
  { id: 'live', label: 'Live', to: '/live', icon: Crosshair, key: 'v' },
  { id: 'map', label: 'Map', to: '/map', icon: Waypoints, key: 'm' },
  { id: 'metrics', label: 'Metrics', to: '/explore/metrics', icon: ChartLine, key: 'e' },
  { id: 'releases', label: 'Releases', to: '/releases', icon: Package, key: 'r' },
  { id: 'monitors', label: 'Monitors', to: '/monitors', icon: HeartPulse, key: 'o' },
  { id: 'alerts', label: 'Alerts', to: '/alerts', icon: Bell, key: 'a' },
  { id: 'settings', label: 'Settings', to: '/settings', icon: SlidersHorizontal, key: ',', low: true },
];

export const PAGES: PageEntry[] = [
  { at: /^\/$/, tab: 'home', ranged: true, load: () => import('./home/HomePage.tsx').then((m) => m.HomePage) },
  { at: /^\/issues$/, tab: 'issues', ranged: true, load: () => import('./issues/IssuesPage.tsx').then((m) => m.IssuesPage) },
  { at: /^\/issues\/([^/]+)$/, tab: 'issues', ranged: true, load: () => import('./issue/IssuePage.tsx').then((m) => m.IssuePage) },
  { at: /^\/events\/([^/]+)$/, tab: 'issues', ranged: true, load: () => import('./issue/EventPage.tsx').then((m) => m.EventPage) },
  { at: /^\/traces$/, tab: 'traces', ranged: true, load: () => import('./traces/TracesPage.tsx').then((m) => m.TracesPage) },
  { at: /^\/traces\/([^/]+)$/, tab: 'traces', ranged: false, load: () => import('./trace/TracePage.tsx').then((m) => m.TracePage) },
  {
    at: /^\/snapshots\/([^/]+)$/,
    tab: 'live',
    ranged: false,
    load: () => import('./snapshots/SnapshotPage.tsx').then((m) => m.SnapshotPage),
  },
  { at: /^\/compare$/, tab: 'traces', ranged: false, load: () => import('./compare/ComparePage.tsx').then((m) => m.ComparePage) },
  { at: /^\/logs$/, tab: 'logs', ranged: true, load: () => import('./logs/LogsPage.tsx').then((m) => m.LogsPage) },
  { at: /^\/live$/, tab: 'live', ranged: false, load: () => import('./live/LivePage.tsx').then((m) => m.LivePage) },
  { at: /^\/map$/, tab: 'map', ranged: true, load: () => import('./map/MapPage.tsx').then((m) => m.MapPage) },
  { at: /^\/explore\/metrics$/, tab: 'metrics', ranged: true, load: () => import('./metrics/MetricsPage.tsx').then((m) => m.MetricsPage) },
  { at: /^\/releases$/, tab: 'releases', ranged: true, load: () => import('./releases/ReleasesPage.tsx').then((m) => m.ReleasesPage) },
  {
    at: /^\/releases\/([^/]+)$/,
    tab: 'releases',
    ranged: true,
    load: () => import('./releases/ReleasePage.tsx').then((m) => m.ReleasePage),
  },
  { at: /^\/monitors$/, tab: 'monitors', ranged: false, load: () => import('./monitors/MonitorsPage.tsx').then((m) => m.MonitorsPage) },
  {
    at: /^\/monitors\/([^/]+)$/,
    tab: 'monitors',
    ranged: false,
    load: () => import('./monitors/MonitorPage.tsx').then((m) => m.MonitorPage),
  },
  { at: /^\/alerts$/, tab: 'alerts', ranged: false, load: () => import('./alerts/AlertsPage.tsx').then((m) => m.AlertsPage) },
  { at: /^\/alerts\/([^/]+)$/, tab: 'alerts', ranged: false, load: () => import('./alerts/RulePage.tsx').then((m) => m.RulePage) },
  {
    at: /^\/settings(?:\/([a-z]+(?:\/[^/]+)?))?$/,
    tab: 'settings',
    ranged: false,
    load: () => import('./settings/SettingsPage.tsx').then((m) => m.SettingsPage),
  },
  { at: /^\/setup$/, tab: 'settings', ranged: false, load: () => import('./setup/SetupPage.tsx').then((m) => m.SetupPage) },
];

export function pageAt(path: string): PageEntry | undefined {
  return PAGES.find((entry) => entry.at.test(path));
}
