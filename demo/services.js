'use strict';
// The services of the shop: how each is started, and the environment that OpenTelemetry's SDKs are configured by.
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const dns = require('node:dns/promises');
const path = require('node:path');
const { freePort, ready } = require('./lib/find.js');

const here = (...parts) => path.join(__dirname, ...parts);
const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318';

function telemetryOf(service, version, instance) {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf',
    OTEL_SERVICE_NAME: service,
    OTEL_RESOURCE_ATTRIBUTES: `service.namespace=shop,service.version=${version},service.instance.id=${instance},deployment.environment.name=demo`,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
    OTEL_PYTHON_LOG_CODE_ATTRIBUTES: 'true',
    // Somebody is watching: a second of delay, not the five and sixty of production.
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '10000',
  };
}

/** What Sentry's SDKs read; without a DSN they are silent. */
function sentryOf(service, version, instance) {
  return { SENTRY_RELEASE: `${service}@${version}`, SENTRY_ENVIRONMENT: 'demo', SENTRY_NAME: instance };
}

/** As a scheduler would name it: the release is in the name, so a new one has new instances. */
function instanceOf(service, version, n) {
  return `${service}-${createHash('sha256').update(`${service} ${version}`).digest('hex').slice(0, 4)}-${n}`;
}

class Shop {
  constructor(processes, found, urls, database) {
    Object.assign(this, { processes, found });
    this.env = { ...process.env, ...urls, ...database };
  }

  /** Starts one process and resolves when it answers: { name, port }. Without a port, any. */
  async start(service, version, n, { port, command, args, env, ...options }) {
    const name = instanceOf(service, version, n);
    const own = port ?? (await freePort());
    void this.processes.launch(name, command, args, {
      ...options,
      env: { ...this.env, ...telemetryOf(service, version, name), ...sentryOf(service, version, name), ...env, PORT: String(own) },
    });
    await ready(this.processes, name, own);
    return { name, port: own };
  }

  web(version, port) {
    return this.start('web', version, 1, {
      port,
      command: process.execPath,
      args: ['--require', './web/telemetry.js', './web/server.js'],
      cwd: here(),
    });
  }

  storefront(version, port, assets, script) {
    return this.start('storefront', version, 1, {
      port,
      command: process.execPath,
      args: ['--import', './storefront/instrument.js', './storefront/server.js'],
      cwd: here(),
      env: { ASSETS: assets, PAGE_SCRIPT: script },
    });
  }

  recommend(version, n) {
    return this.start('recommend', version, n, {
      command: this.found.python,
      args: [here('recommend', 'app.py'), here('recommend', 'releases', version)],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    });
  }

  checkout(version, n) {
    return this.start('checkout', version, n, {
      command: this.found.python,
      args: [here('checkout', 'app.py'), here('checkout', 'releases', version)],
      env: { PYTHONDONTWRITEBYTECODE: '1', OTEL_EXPERIMENTAL_RESOURCE_DETECTORS: 'otel,process,host' },
    });
  }

  async payments(version, n) {
    const { java, agent, classes } = this.found.java;
    const small = ['-Xms24m', '-Xmx48m', '-Xss256k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:ReservedCodeCacheSize=24m',
      '-XX:MaxMetaspaceSize=96m', '-Xshare:auto', '-Dsun.net.httpserver.nodelay=true'];
    return this.start('payments', version, n, {
      command: java,
      args: [...small, `-javaagent:${agent}`, `-Djdk.net.hosts.file=${await this.hosts()}`, '-cp', classes, 'shop.Payments'],
      env: {
        // Only what this service uses: the agent starts in half the time.
        OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED: 'false',
        OTEL_INSTRUMENTATION_JAVA_HTTP_CLIENT_ENABLED: 'true',
        OTEL_INSTRUMENTATION_JAVA_HTTP_SERVER_ENABLED: 'true',
        OTEL_INSTRUMENTATION_JAVA_UTIL_LOGGING_ENABLED: 'true',
        OTEL_INSTRUMENTATION_RUNTIME_TELEMETRY_ENABLED: 'true',
        OTEL_INSTRUMENTATION_METHODS_ENABLED: 'true',
        OTEL_INSTRUMENTATION_METHODS_INCLUDE: 'shop.Quotes[quote];shop.Charges[charge]',
        OTEL_JAVAAGENT_LOGGING: 'none',
      },
    });
  }

  /** The rate service lives elsewhere, under a name of its own; the JVM is told where by a file of hosts, which then is all it knows. */
  async hosts() {
    const file = path.join(this.processes.state, 'hosts');
    const { hostname } = new URL(endpoint);
    const { address } = await dns.lookup(hostname.replace(/^\[|\]$/g, ''));
    fs.writeFileSync(file, `127.0.0.1 localhost fx-rates\n${address} ${hostname}\n`);
    return file;
  }

  inventory(version, port) {
    return this.start('inventory', version, 1, { port, command: path.join(this.processes.state, 'inventory'), args: [],
      env: { CLOCK_OFF_MS: '46' } }); // its machine's clock is ahead, as such clocks are
  }

  /** Nobody here owns it, and nothing in it reports anything: what is known of it is what its callers saw. */
  async rates(port) {
    void this.processes.launch('fx-rates', process.execPath, [here('fx-rates', 'server.js')], { env: { PORT: String(port) } });
    await ready(this.processes, 'fx-rates', port);
  }
}

module.exports = { Shop, endpoint };
