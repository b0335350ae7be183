// The lines that make a Sentry SDK send here, by language. Pure: a DSN goes in.
import type { Step } from './snippets.ts';

export interface SentryLines {
  label: string;
  /** Where it is pasted, and what was installed before. */
  name: string;
  text: string;
}

export function sentryLines(dsn: string): SentryLines[] {
  return [
    {
      label: 'Python',
      name: 'app.py, after pip install sentry-sdk',
      text: `import sentry_sdk\n\nsentry_sdk.init(\n    "${dsn}",\n    traces_sample_rate=1.0,\n    enable_logs=True,\n)\n\n1 / 0  # the first issue`,
    },
    {
      label: 'Node',
      name: 'instrument.js, after npm install @sentry/node',
      text: `const Sentry = require('@sentry/node');\n\nSentry.init({\n  dsn: '${dsn}',\n  tracesSampleRate: 1.0,\n  enableLogs: true,\n  includeLocalVariables: true,\n});\n\nsetTimeout(() => { throw new Error('the first issue'); });`,
    },
    {
      label: 'Browser',
      name: 'main.js, after npm install @sentry/browser',
      text: `import * as Sentry from '@sentry/browser';\n\nSentry.init({\n  dsn: '${dsn}',\n  integrations: [Sentry.browserTracingIntegration()],\n  tracesSampleRate: 1.0,\n});\n\nsetTimeout(() => { throw new Error('the first issue'); });`,
    },
    {
      label: 'Java',
      name: 'Main.java, with io.sentry:sentry',
      text: `Sentry.init(options -> {\n  options.setDsn("${dsn}");\n  options.setTracesSampleRate(1.0);\n});\nSentry.captureException(new IllegalStateException("the first issue"));`,
    },
    {
      label: 'Go',
      name: 'main.go, after go get github.com/getsentry/sentry-go',
      text: `sentry.Init(sentry.ClientOptions{\n\tDsn:              "${dsn}",\n\tEnableTracing:    true,\n\tTracesSampleRate: 1.0,\n})\ndefer sentry.Flush(2 * time.Second)\nsentry.CaptureException(errors.New("the first issue"))`,
    },
    {
      label: 'PHP',
      name: 'index.php, after composer require sentry/sentry',
      text: `\\Sentry\\init([\n    'dsn' => '${dsn}',\n    'traces_sample_rate' => 1.0,\n]);\n\n\\Sentry\\captureException(new \\Exception('the first issue'));`,
    },
    {
      label: 'Ruby',
      name: 'app.rb, after bundle add sentry-ruby',
      text: `require 'sentry-ruby'\n\nSentry.init do |config|\n  config.dsn = '${dsn}'\n  config.traces_sample_rate = 1.0\nend\n\nSentry.capture_message('the first issue')\nSentry.close`,
    },
    {
      label: '.NET',
      name: 'Program.cs, after dotnet add package Sentry',
      text: `using var sentry = SentrySdk.Init(options => {\n    options.Dsn = "${dsn}";\n    options.TracesSampleRate = 1.0;\n});\nSentrySdk.CaptureMessage("the first issue");`,
    },
    { label: 'Environment', name: 'environment of a service that has a Sentry SDK already', text: `export SENTRY_DSN=${dsn}` },
  ];
}

/** What the set-up page connects, by the label of its lines; and how the SDK is installed. */
const TARGETS: Record<string, [label: string, name: string, install: string]> = {
  python: ['Python', 'shell', 'pip install sentry-sdk'],
  node: ['Node', 'shell', 'npm install @sentry/node'],
  browser: ['Browser', 'shell', 'npm install @sentry/browser'],
  java: ['Java', 'build.gradle.kts', 'implementation("io.sentry:sentry:8.+")'],
  go: ['Go', 'shell', 'go get github.com/getsentry/sentry-go'],
  php: ['PHP', 'shell', 'composer require sentry/sentry'],
  ruby: ['Ruby', 'shell', 'bundle add sentry-ruby'],
  dotnet: ['.NET', 'shell', 'dotnet add package Sentry'],
};

/** Undefined: there is no SDK of Sentry's for that target here. */
export function sentrySteps(target: string, dsn: string): Step[] | undefined {
  const [label, name, install] = TARGETS[target] ?? [];
  const lines = sentryLines(dsn).find((one) => one.label === label);
  if (!lines || !name || !install) return undefined;
  return [
    { title: 'Install', says: 'Skip it where the SDK is in use already: then the DSN alone changes.', snippets: [{ name, text: install }] },
    {
      title: 'Point it here',
      says: 'As early as the process starts. Its last line makes the first issue, and goes when that has arrived.',
      snippets: [{ name: lines.name.split(',')[0] ?? '', text: lines.text }],
    },
    {
      title: 'Say which version runs',
      says: 'With a release in init, or in the environment, issues know in which one they began, and the one they are resolved in.',
      snippets: [{ name: 'environment of the service', text: 'export SENTRY_RELEASE=shop@1.4.2 SENTRY_ENVIRONMENT=production' }],
    },
  ];
}

/** Who has Sentry already changes two addresses. */
export function movingSteps(dsn: string, url: string, project: string): Step[] {
  return [
    {
      title: 'Change the DSN',
      says: 'Where the code does not name it, SDKs read it from the environment. Nothing else changes: releases, tags, scopes, hooks.',
      snippets: [{ name: 'environment of the service', text: `export SENTRY_DSN=${dsn}` }],
    },
    {
      title: 'Change where builds upload',
      says: 'sentry-cli and the bundlers’ plugins read these. The token is one with the scope ingest: Settings, Tokens.',
      snippets: [
        {
          name: 'environment of the build',
          text: `export SENTRY_URL=${url}\nexport SENTRY_ORG=clew SENTRY_PROJECT=${project}\nexport SENTRY_AUTH_TOKEN=TOKEN`,
        },
      ],
    },
    {
      title: 'See one arrive',
      says: 'From any machine that has sentry-cli; it shows up at the right within a second or two.',
      snippets: [{ name: 'shell', text: `SENTRY_DSN=${dsn} \\\n  sentry-cli send-event -m "hello from sentry-cli"` }],
    },
  ];
}
