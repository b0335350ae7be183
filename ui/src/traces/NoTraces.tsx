// Nothing at all has arrived in this range: what to paste to change that.
import { useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { Paste } from '../parts/Paste.tsx';
import { range } from '../state/live.ts';
import { setParams } from '../state/route.ts';

const KINDS = ['Environment', 'Node', 'Python', 'Collector'] as const;

/** `bare`: the page has said so already. */
export function NoTraces({ bare }: { bare?: boolean }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]>('Environment');
  const http = me.value?.otlp_http ?? `${location.protocol}//${location.hostname}:4318`;
  const grpc = me.value?.otlp_grpc ?? `${location.protocol}//${location.hostname}:4317`;
  return (
    <div class="say scroll">
      {!bare && <h2>No trace has arrived in this range</h2>}
      <p>
        Clew listens for OpenTelemetry at <code>{http}</code> (HTTP) and <code>{grpc}</code> (gRPC). Any SDK that exports OTLP can be
        pointed at it; what it sends shows here within a second or two.
      </p>
      <span class="seg" role="group" aria-label="How it is sent">
        {KINDS.map((name) => (
          <button type="button" key={name} aria-pressed={kind === name} onClick={() => setKind(name)}>
            {name}
          </button>
        ))}
      </span>
      <Snippet kind={kind} http={http} grpc={grpc} />
      <p>No service at hand? The demo shop is a real one: services in four languages, a database and a bug.</p>
      <Paste name="shell" text="clew demo" />
      {range.value.to - range.value.from < 86_400_000 && (
        <button type="button" class="btn" onClick={() => setParams({ from: '-24h', to: undefined })}>
          Look at the last 24 h
        </button>
      )}
    </div>
  );
}

function Snippet({ kind, http, grpc }: { kind: (typeof KINDS)[number]; http: string; grpc: string }) {
  switch (kind) {
    case 'Environment':
      return (
        <Paste
          name="environment of any service with an OpenTelemetry SDK"
          text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${http}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=checkout`}
        />
      );
    case 'Node':
      return (
        <Paste
          name="shell"
          text={`npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\nOTEL_EXPORTER_OTLP_ENDPOINT=${http} OTEL_SERVICE_NAME=web OTEL_LOGS_EXPORTER=otlp \\\n  node --require @opentelemetry/auto-instrumentations-node/register server.js`}
        />
      );
    case 'Python':
      return (
        <Paste
          name="shell"
          text={`pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap --action=install\nOTEL_EXPORTER_OTLP_ENDPOINT=${grpc} OTEL_SERVICE_NAME=checkout \\\n  opentelemetry-instrument --logs_exporter otlp python app.py`}
        />
      );
    case 'Collector':
      return (
        <Paste
          name="config.yaml"
          text={`exporters:\n  otlphttp/clew:\n    endpoint: ${http}\nservice:\n  pipelines:\n    traces:  { receivers: [otlp], exporters: [otlphttp/clew] }\n    logs:    { receivers: [otlp], exporters: [otlphttp/clew] }\n    metrics: { receivers: [otlp], exporters: [otlphttp/clew] }`}
        />
      );
  }
}
