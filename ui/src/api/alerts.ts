// Alerts: rules, the channels they tell, what fired and what was sent.
import { getJson, remove, send } from './client.ts';

export type Kind = 'new' | 'regressed' | 'escalating' | 'events' | 'users';
export type Op = '>' | '>=' | '<' | '<=';
export type ChannelType = 'webhook' | 'slack' | 'mail';

export interface When {
  kind: Kind;
  n?: number;
  window_s?: number;
}

/** What a person decides of a rule: about issues with `when`, about records with `query`. */
export interface RuleInput {
  name: string;
  enabled: boolean;
  project?: string;
  when?: When[];
  filter?: string;
  query?: string;
  op?: Op;
  threshold?: number;
  window_s?: number;
  recovery?: boolean;
  cooldown_s?: number;
  collect_s?: number;
  channels: number[];
}

export interface Rule extends RuleInput {
  id: number;
  cooldown_s: number;
  collect_s: number;
  snoozed_until?: string;
  created_by: string;
  created: string;
  evaluated?: string;
  /** Why it could not be evaluated. */
  trouble?: string;
}

export interface Channel {
  id: number;
  name: string;
  type: ChannelType;
  /** Addresses; of a URL its host. */
  target: string;
  created_by: string;
  created: string;
  last_sent?: string;
  last_failed?: string;
  trouble?: string;
}

export interface Firing {
  id: number;
  rule: number;
  rule_name?: string;
  kind: Kind | 'query';
  project?: string;
  issue?: number;
  subject?: string;
  time: string;
  open: boolean;
  closed?: string;
  /** When it fired, and when it was over. */
  value?: number;
  over_value?: number;
  title?: string;
  text?: string;
  suppressed?: 'snoozed' | 'cooldown';
}

export interface Delivery {
  id: number;
  rule: number;
  rule_name?: string;
  channel: number;
  channel_name?: string;
  state: 'waiting' | 'sent' | 'failed';
  attempts: number;
  firings: number;
  created: string;
  due?: string;
  done?: string;
  /** What the receiver said, or what went wrong. */
  answer?: string;
}

const at = '/api/v1/alerts';

export interface Alerts {
  rules: Rule[];
  channels: Channel[];
  /** This server sends mail. */
  mail: boolean;
  firings: Firing[];
  /** There are older ones. */
  next?: number;
}

/** Everything that the state of a rule is told from. */
export async function loadAlerts(abort?: AbortSignal): Promise<Alerts> {
  const [rules, channels, firings] = await Promise.all([
    getJson<{ rules: Rule[] }>(`${at}/rules`, {}, abort),
    getJson<{ channels: Channel[]; mail: boolean }>(`${at}/channels`, {}, abort),
    loadFirings({ limit: 500 }, abort),
  ]);
  return { ...rules, ...channels, ...firings };
}

export interface ListParams {
  rule?: number;
  before?: number;
  limit?: number;
}

export async function loadFirings(params: ListParams, abort?: AbortSignal): Promise<{ firings: Firing[]; next?: number }> {
  return await getJson(`${at}/firings`, { ...params }, abort);
}

export async function loadDeliveries(params: ListParams, abort?: AbortSignal): Promise<{ deliveries: Delivery[]; next?: number }> {
  return await getJson(`${at}/deliveries`, { ...params }, abort);
}

export async function saveRule(rule: RuleInput, id?: number): Promise<Rule | undefined> {
  return await send<Rule>(id === undefined ? 'POST' : 'PUT', id === undefined ? `${at}/rules` : `${at}/rules/${id}`, rule);
}

/** What is sent to change a rule that is there: the server keeps the rest. */
export function inputOf(rule: Rule): RuleInput {
  const { id: _, snoozed_until: _s, created_by: _b, created: _c, evaluated: _e, trouble: _t, ...input } = rule;
  return input;
}

export async function removeRule(id: number, leaving: boolean): Promise<void> {
  await remove(`${at}/rules/${id}`, leaving);
}

export async function snoozeRule(id: number, for_s: number): Promise<void> {
  await send('POST', `${at}/rules/${id}/snooze`, { for_s });
}

export interface ChannelInput {
  name: string;
  type: ChannelType;
  target?: string;
}

export async function saveChannel(channel: ChannelInput, id?: number): Promise<{ channel: Channel; secret?: string } | undefined> {
  return await send(id === undefined ? 'POST' : 'PUT', id === undefined ? `${at}/channels` : `${at}/channels/${id}`, channel);
}

export async function removeChannel(id: number, leaving: boolean): Promise<void> {
  await remove(`${at}/channels/${id}`, leaving);
}

export async function testChannel(id: number): Promise<void> {
  await send('POST', `${at}/channels/${id}/test`, {});
}
