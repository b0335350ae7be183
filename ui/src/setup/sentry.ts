// The lines that make a Sentry SDK send here, by language. Pure: a DSN goes in.

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
