// The program itself: version, addresses, what the host lacks, every setting and where it comes from.
import { getJson, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Head, Rows } from './common.tsx';
import type { Server, Setting } from './types.ts';

export function ServerFacts() {
  const load = useLoad('server', 'server', (abort) => getJson<Server>('/api/v1/server', {}, abort));
  return (
    <>
      <Head title="Server" says={load.data.value && says(load.data.value)}>
        <button type="button" class="btn" onClick={load.retry} disabled={load.busy.value}>
          Look again
        </button>
      </Head>
      <Rows of={load} rows={8}>
        {(server) => <Facts server={server} />}
      </Rows>
    </>
  );
}

function says(server: Server): string {
  const trouble = server.findings.filter((finding) => !finding.ok).length;
  const up = ago(parseInstant(server.started).ms, serverNow()).replace(' ago', '');
  return `Clew ${server.version}, up for ${up}; ${trouble ? `${plural(trouble, 'finding')} to look at` : 'nothing wrong with this host'}.`;
}

const TAKES = { all: 'pages, API, OpenTelemetry over HTTP and gRPC', otlp: 'OpenTelemetry over HTTP and gRPC' };

function Facts({ server }: { server: Server }) {
  const changed = server.settings.filter((setting) => setting.origin !== 'default');
  const others = server.settings.filter((setting) => setting.origin === 'default');
  return (
    <>
      <dl class="facts">
        <div>
          <dt class="sm d3">Started</dt>
          <dd title={absolute(parseInstant(server.started).ms)}>
            {absolute(parseInstant(server.started).ms)
              .split(' UTC')[0]
              ?.replace(/\.\d+$/, '')}
          </dd>
        </div>
        <div>
          <dt class="sm d3">Data</dt>
          <dd class="mono cut" title={server.data}>
            {server.data}
          </dd>
        </div>
        <div>
          <dt class="sm d3">Process</dt>
          <dd>{server.pid}</dd>
        </div>
      </dl>
      <div class="sec hl">
        <h2>Listening</h2>
      </div>
      <table class="tbl">
        <tbody>
          {server.listening.map((place) => (
            <tr key={place.address}>
              <td class="mono">{place.address}</td>
              <td class="cut">{TAKES[place.takes]}</td>
              <td class="r">{place.tls ? <span class="pill k">TLS</span> : <span class="pill">plain</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="sec hl">
        <h2>This host</h2>
        <span class="grow">
          also <code>clew doctor</code>
        </span>
      </div>
      <table class="tbl tall">
        <tbody>
          {server.findings.map((finding) => (
            <tr key={finding.what}>
              <td>
                <span class={`pill ${finding.ok ? 'k' : 'e'}`}>{finding.ok ? 'ok' : 'fails'}</span> <span class="m">{finding.what}</span>
                <span class="d2">{finding.more ? `, ${finding.more}` : ''}</span>
                {finding.fix && <p class="d2">{finding.fix}</p>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Settings title="Settings that were given" says={changed.length ? '' : 'none: all are the defaults'} of={changed} />
      <Settings title="Defaults" says="a flag beats the environment, which beats the file" of={others} />
    </>
  );
}

function Settings({ title, says: text, of }: { title: string; says: string; of: Setting[] }) {
  return (
    <>
      <div class="sec hl">
        <h2>{title}</h2>
        <span class="grow">{text}</span>
      </div>
      {of.length > 0 && (
        <table class="tbl tall">
          <thead>
            <tr>
              <th>Setting</th>
              <th>Value</th>
              <th class="wide">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {of.map((setting) => (
              <tr key={setting.key} title={`${setting.flag}, ${setting.environment}`}>
                <td>
                  <code>{setting.key}</code>
                  {setting.origin !== 'default' && (
                    <div class="xs d3">from {setting.origin === 'environment' ? 'the environment' : `the ${setting.origin}`}</div>
                  )}
                </td>
                <td class="mono wrap-any">{setting.value || <span class="why">none</span>}</td>
                <td class="wide sm d2">{setting.doc}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
