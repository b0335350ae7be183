// The lines to paste, by what is to be connected. Pure: address, key and names go in, steps come out.

export interface Wish {
  /** "http://127.0.0.1:2539", the address that the reader knows this server by. */
  url: string;
  /** Undefined: none is needed, or none was made yet. */
  key: string | undefined;
  /** A key is needed but not there: the place for it is shown. */
  keyNeeded: boolean;
  service: string;
  protocol: 'http/protobuf' | 'grpc';
}

export interface Snippet {
  /** Where it is pasted: "shell", "main.go". */
  name: string;
  text: string;
}

export interface Step {
  title: string;
  says: string;
  snippets: Snippet[];
}

export interface Target {
  id: string;
  name: string;
  /** Under the name in the list. */
  says: string;
  /** Two letters where it has no icon. */
  letters?: string;
  /** Its exporters speak OTLP over HTTP only. */
  httpOnly?: true;
  /** It is about SDKs of Sentry's alone: its steps are theirs. */
  sentryOnly?: true;
  around?: true;
  steps: (wish: Wish) => Step[];
}

const KEY_PLACE = 'KEY';

function keyOf(wish: Wish): string | undefined {
  return wish.key ?? (wish.keyNeeded ? KEY_PLACE : undefined);
}

/** Names and values of the environment that every SDK reads. */
export function variables(wish: Wish, more: Record<string, string> = {}): [string, string][] {
  const key = keyOf(wish);
  const plainGrpc = wish.protocol === 'grpc' && wish.url.startsWith('http://');
  return [
    ['OTEL_SERVICE_NAME', wish.service],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', wish.url],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', wish.protocol],
    // A variable's value is percent-decoded: the space in it is %20.
    ...(key ? ([['OTEL_EXPORTER_OTLP_HEADERS', `Authorization=Bearer%20${key}`]] as [string, string][]) : []),
    ...(plainGrpc ? ([['OTEL_EXPORTER_OTLP_INSECURE', 'true']] as [string, string][]) : []),
    ...Object.entries(more),
  ];
}

/** Safe between single quotes of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function exported(list: [string, string][]): string {
  return list.map(([name, value]) => `export ${name}=${quoted(value)}`).join('\n');
}

const point = (wish: Wish, says: string, more: Record<string, string> = {}): Step => ({
  title: 'Point it here',
  says,
  snippets: [{ name: 'environment of the service', text: exported(variables(wish, more)) }],
});

const ALL_SIGNALS = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'otlp' };

/** A span made by hand: arrives from any machine that has curl. */
export function byHand(wish: Wish): string {
  const key = keyOf(wish);
  const service = JSON.stringify(wish.service).replaceAll("'", "'\\''");
  return [
    `NOW=$(date +%s%N); curl -sS ${quoted(`${wish.url}/v1/traces`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    ...(key ? [`  -H 'Authorization: Bearer ${key}' \\`] : []),
    `  -d '{"resourceSpans":[{"resource":{"attributes":[`,
    `  {"key":"service.name","value":{"stringValue":${service}}}]},`,
    `  "scopeSpans":[{"spans":[{"name":"hello from curl","kind":1,`,
    `  "traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'",`,
    `  "startTimeUnixNano":"'$((NOW-25000000))'","endTimeUnixNano":"'$NOW'"}]}]}]}'`,
  ].join('\n');
}

const seeOne = (
  wish: Wish,
  says = 'Use the service once; or send one span by hand from the same place, to see that the way is open.',
): Step => ({
  title: 'See one arrive',
  says,
  snippets: [{ name: 'shell', text: byHand(wish) }],
});

function collector(wish: Wish): string {
  const key = keyOf(wish);
  const grpc = wish.protocol === 'grpc';
  const name = grpc ? 'otlp/clew' : 'otlphttp/clew';
  return [
    'exporters:',
    `  ${name}:`,
    `    endpoint: ${wish.url}`,
    ...(grpc && wish.url.startsWith('http://') ? ['    tls: { insecure: true }'] : []),
    ...(key ? [`    headers: { Authorization: "Bearer ${key}" }`] : []),
    'service:',
    '  pipelines:',
    ...['traces', 'logs', 'metrics'].map((signal) => `    ${`${signal}:`.padEnd(8)} { receivers: [otlp], exporters: [${name}] }`),
  ].join('\n');
}

/** The same server as it is called from inside a container. */
export function fromContainer(url: string): string {
  return url.replace(/\/\/(127\.0\.0\.1|localhost|\[::1\])(?=:|$)/, '//host.docker.internal');
}

function portOf(url: string): string {
  return /:(\d+)$/.exec(url)?.[1] ?? (url.startsWith('https:') ? '443' : '80');
}

/** What the server must be started with before a container can reach it. */
function reach(wish: Wish): Step[] {
  const inside = fromContainer(wish.url);
  if (inside === wish.url) return [];
  return [
    {
      title: 'Let containers in',
      says: 'The server listens on this machine’s loopback only, which is another one inside a container. Start it on all addresses and tell it the name that containers use; a key is needed then.',
      snippets: [{ name: 'shell, on this machine', text: `clew serve --listen 0.0.0.0:${portOf(wish.url)} --public-url ${inside}` }],
    },
  ];
}

export const TARGETS: Target[] = [
  {
    id: 'python',
    name: 'Python',
    says: 'nothing to change in the code',
    letters: 'Py',
    steps: (wish) => [
      {
        title: 'Install',
        says: 'The second line finds the libraries that are in use and installs what instruments them.',
        snippets: [
          {
            name: 'shell',
            text: 'pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap --action=install',
          },
        ],
      },
      point(wish, 'The last line sends what goes through logging, with its trace.', {
        OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED: 'true',
      }),
      {
        title: 'Start it',
        says: 'In front of the usual command; gunicorn, uvicorn and celery alike.',
        snippets: [{ name: 'shell', text: 'opentelemetry-instrument python app.py' }],
      },
      seeOne(wish),
    ],
  },
  {
    id: 'node',
    name: 'Node.js',
    says: 'nothing to change in the code',
    letters: 'JS',
    steps: (wish) => [
      {
        title: 'Install',
        says: 'HTTP, Express, database drivers, pino and winston are instrumented by it.',
        snippets: [{ name: 'shell', text: 'npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node' }],
      },
      point(wish, 'Without the exporters named, only traces are sent.', ALL_SIGNALS),
      {
        title: 'Start it',
        says: 'Before everything else is loaded.',
        snippets: [{ name: 'shell', text: 'node --require @opentelemetry/auto-instrumentations-node/register server.js' }],
      },
      seeOne(wish),
    ],
  },
  {
    id: 'java',
    name: 'Java and Kotlin',
    says: 'one agent, any JVM from 8 on',
    letters: 'Jv',
    steps: (wish) => [
      {
        title: 'Fetch the agent',
        says: 'One file beside the application.',
        snippets: [
          {
            name: 'shell',
            text: 'curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar',
          },
        ],
      },
      point(wish, 'Logs of Logback and Log4j go along.'),
      {
        title: 'Start it',
        says: 'The agent stands before -jar.',
        snippets: [{ name: 'shell', text: 'java -javaagent:opentelemetry-javaagent.jar -jar app.jar' }],
      },
      seeOne(wish),
    ],
  },
  {
    id: 'go',
    name: 'Go',
    says: 'a few lines at the start',
    letters: 'Go',
    steps: (wish) => [
      {
        title: 'Install',
        says: 'autoexport reads the variables below; otelhttp wraps handlers and clients.',
        snippets: [
          {
            name: 'shell',
            text: 'go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/contrib/exporters/autoexport \\\n  go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp',
          },
        ],
      },
      {
        title: 'Set it up',
        says: 'At the beginning of main; Shutdown sends what is still waiting.',
        snippets: [
          {
            name: 'main.go',
            text: [
              'exporter, err := autoexport.NewSpanExporter(ctx)',
              'if err != nil {',
              '\tlog.Fatal(err)',
              '}',
              'provider := trace.NewTracerProvider(trace.WithBatcher(exporter))',
              'defer provider.Shutdown(ctx)',
              'otel.SetTracerProvider(provider)',
              'otel.SetTextMapPropagator(propagation.TraceContext{})',
              '',
              'handler := otelhttp.NewHandler(mux, "http")',
            ].join('\n'),
          },
        ],
      },
      point(wish, 'The SDK reads these when it starts.'),
      seeOne(wish),
    ],
  },
  {
    id: 'dotnet',
    name: '.NET',
    says: 'nothing to change in the code',
    letters: 'C#',
    steps: (wish) => [
      {
        title: 'Install',
        says: 'ASP.NET Core, HttpClient, SqlClient and ILogger are instrumented by it.',
        snippets: [
          {
            name: 'shell',
            text: 'curl -LO https://github.com/open-telemetry/opentelemetry-dotnet-instrumentation/releases/latest/download/otel-dotnet-auto-install.sh\nsh ./otel-dotnet-auto-install.sh',
          },
        ],
      },
      point(wish, 'Read by the instrumentation when the process starts.'),
      {
        title: 'Start it',
        says: 'In the same shell; a service has the same lines in its unit.',
        snippets: [{ name: 'shell', text: '. "$HOME/.otel-dotnet-auto/instrument.sh"\ndotnet run' }],
      },
      seeOne(wish),
    ],
  },
  {
    id: 'ruby',
    name: 'Ruby',
    says: 'one initializer',
    letters: 'Rb',
    httpOnly: true,
    steps: (wish) => [
      {
        title: 'Install',
        says: 'Rails, Rack, Sidekiq and database drivers are instrumented by it.',
        snippets: [{ name: 'shell', text: 'bundle add opentelemetry-sdk opentelemetry-exporter-otlp opentelemetry-instrumentation-all' }],
      },
      {
        title: 'Set it up',
        says: 'In Rails this is an initializer.',
        snippets: [
          {
            name: 'config/initializers/opentelemetry.rb',
            text: "require 'opentelemetry/sdk'\nrequire 'opentelemetry/exporter/otlp'\nrequire 'opentelemetry/instrumentation/all'\n\nOpenTelemetry::SDK.configure(&:use_all)",
          },
        ],
      },
      point(wish, 'The exporter speaks HTTP.'),
      seeOne(wish),
    ],
  },
  {
    id: 'php',
    name: 'PHP',
    says: 'one extension, two packages',
    letters: 'Ph',
    httpOnly: true,
    steps: (wish) => [
      {
        title: 'Install',
        says: 'The extension lets packages such as open-telemetry/opentelemetry-auto-laravel instrument without changes.',
        snippets: [
          {
            name: 'shell',
            text: 'pecl install opentelemetry && echo extension=opentelemetry.so > "$(php-config --ini-dir)/opentelemetry.ini"\ncomposer require open-telemetry/sdk open-telemetry/exporter-otlp php-http/guzzle7-adapter',
          },
        ],
      },
      point(wish, 'For PHP-FPM these stand in the pool’s configuration as env[NAME].', {
        OTEL_PHP_AUTOLOAD_ENABLED: 'true',
        ...ALL_SIGNALS,
      }),
      seeOne(wish),
    ],
  },
  {
    id: 'rust',
    name: 'Rust',
    says: 'tracing, through one layer',
    letters: 'Rs',
    steps: (wish) => [
      {
        title: 'Install',
        says: 'The exporter reads the variables below.',
        snippets: [
          {
            name: 'shell',
            text: `cargo add opentelemetry opentelemetry_sdk tracing tracing-subscriber tracing-opentelemetry\ncargo add opentelemetry-otlp --features ${wish.protocol === 'grpc' ? 'grpc-tonic' : 'http-proto,reqwest-blocking-client'}`,
          },
        ],
      },
      {
        title: 'Set it up',
        says: 'Spans of the crate tracing become spans here.',
        snippets: [
          {
            name: 'main.rs',
            text: [
              `let exporter = opentelemetry_otlp::SpanExporter::builder().${wish.protocol === 'grpc' ? 'with_tonic' : 'with_http'}().build()?;`,
              'let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()',
              '    .with_batch_exporter(exporter)',
              '    .build();',
              'tracing_subscriber::registry()',
              '    .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("app")))',
              '    .init();',
              '// at the end: provider.shutdown()?;',
            ].join('\n'),
          },
        ],
      },
      point(wish, 'Read when the exporter is built.'),
      seeOne(wish),
    ],
  },
  {
    id: 'cpp',
    name: 'C and C++',
    says: 'opentelemetry-cpp, or plain HTTP',
    letters: 'C',
    steps: (wish) => [
      {
        title: 'Set it up',
        says: 'With opentelemetry-cpp; link opentelemetry_trace and the exporter.',
        snippets: [
          {
            name: 'main.cc',
            text: [
              `auto exporter = otlp::${wish.protocol === 'grpc' ? 'OtlpGrpcExporterFactory' : 'OtlpHttpExporterFactory'}::Create();`,
              'auto processor = sdktrace::BatchSpanProcessorFactory::Create(std::move(exporter), {});',
              'std::shared_ptr<trace::TracerProvider> provider =',
              '    sdktrace::TracerProviderFactory::Create(std::move(processor));',
              'trace::Provider::SetTracerProvider(provider);',
            ].join('\n'),
          },
        ],
      },
      point(wish, 'The exporter reads these when it is made.'),
      seeOne(wish, 'From C, or anything that can make an HTTP request: the body below is all there is to it.'),
    ],
  },
  {
    id: 'browser',
    name: 'Browser',
    says: 'through a Collector',
    letters: 'Br',
    httpOnly: true,
    steps: (wish) => [
      {
        title: 'Put a Collector in between',
        says: 'A page would have to show its key to everybody, so Clew takes nothing from pages directly. The Collector takes it from your site and adds the key.',
        snippets: [
          {
            name: 'config.yaml',
            text: `receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 0.0.0.0:4318\n        cors:\n          allowed_origins: ["https://www.example.com"]\n${collector(wish)}`,
          },
        ],
      },
      {
        title: 'Send from the page',
        says: 'Its spans carry traceparent to the services that it calls, so that both ends are one trace.',
        snippets: [
          {
            name: 'shell',
            text: 'npm install @opentelemetry/sdk-trace-web @opentelemetry/exporter-trace-otlp-http @opentelemetry/instrumentation-fetch',
          },
          {
            name: 'telemetry.js',
            text: [
              "const exporter = new OTLPTraceExporter({ url: 'https://collector.example.com/v1/traces' });",
              'const provider = new WebTracerProvider({',
              `  resource: resourceFromAttributes({ 'service.name': ${JSON.stringify(wish.service)} }),`,
              '  spanProcessors: [new BatchSpanProcessor(exporter)],',
              '});',
              'provider.register();',
              'registerInstrumentations({ instrumentations: [new FetchInstrumentation()] });',
            ].join('\n'),
          },
        ],
      },
    ],
  },
  { id: 'sentry', name: 'Coming from Sentry', says: 'change the DSN, keep the rest', around: true, sentryOnly: true, steps: () => [] },
  {
    id: 'collector',
    name: 'OpenTelemetry Collector',
    says: 'add one exporter',
    around: true,
    steps: (wish) => [
      {
        title: 'Add the exporter',
        says: 'Beside those that are there already; what the pipelines receive goes to both.',
        snippets: [{ name: 'config.yaml', text: collector(wish) }],
      },
      seeOne(wish, 'The Collector sends within its batch time; this goes past it, straight to Clew.'),
    ],
  },
  {
    id: 'docker',
    name: 'Docker',
    says: 'variables of a container',
    around: true,
    steps: (wish) => {
      const inside = { ...wish, url: fromContainer(wish.url), keyNeeded: true };
      return [
        ...reach(wish),
        {
          title: 'Give the container the variables',
          says: 'host.docker.internal is this machine, as containers call it.',
          snippets: [
            {
              name: 'shell',
              text: `docker run --add-host host.docker.internal:host-gateway \\\n${variables(inside)
                .map(([name, value]) => `  -e ${name}=${quoted(value)} \\`)
                .join('\n')}\n  IMAGE`,
            },
            {
              name: 'compose.yaml',
              text: `services:\n  ${wish.service}:\n    extra_hosts: ["host.docker.internal:host-gateway"]\n    environment:\n${variables(
                inside,
              )
                .map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`)
                .join('\n')}`,
            },
          ],
        },
      ];
    },
  },
  {
    id: 'kubernetes',
    name: 'Kubernetes',
    says: 'variables of a deployment',
    around: true,
    steps: (wish) => [
      {
        title: 'Keep the key as a secret',
        says: 'Pods come from another address: a key is always needed.',
        snippets: [
          {
            name: 'shell',
            text: `kubectl create secret generic clew --from-literal=headers='Authorization=Bearer%20${wish.key ?? KEY_PLACE}'`,
          },
        ],
      },
      {
        title: 'Give the pods the variables',
        says: 'Put the name under which pods reach this server in the place of the address, and start the server with it as --public-url.',
        snippets: [
          {
            name: 'deployment.yaml, at the container',
            text: [
              'env:',
              `- { name: OTEL_SERVICE_NAME, value: ${JSON.stringify(wish.service)} }`,
              `- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: ${JSON.stringify(wish.url.replace(/127\.0\.0\.1|localhost|\[::1\]/, 'clew.example.com'))} }`,
              `- { name: OTEL_EXPORTER_OTLP_PROTOCOL, value: ${wish.protocol} }`,
              '- name: OTEL_EXPORTER_OTLP_HEADERS',
              '  valueFrom: { secretKeyRef: { name: clew, key: headers } }',
              '- name: OTEL_RESOURCE_ATTRIBUTES',
              '  value: k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE)',
              '- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }',
              '- { name: POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }',
            ].join('\n'),
          },
        ],
      },
    ],
  },
  {
    id: 'curl',
    name: 'curl',
    says: 'to see that the way is open',
    around: true,
    httpOnly: true,
    steps: (wish) => [
      {
        title: 'Send one span',
        says: 'A 200 means that it is on disk; it shows at the right within a second, and under Traces.',
        snippets: [{ name: 'shell', text: byHand(wish) }],
      },
    ],
  },
];

export function targetOf(id: string | undefined): Target {
  return TARGETS.find((target) => target.id === id) ?? (TARGETS[0] as Target);
}
