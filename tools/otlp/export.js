'use strict';

// A service's spans, made by OpenTelemetry's SDK and sent by its exporter: of json, of
// protobuf, or of gRPC, which is set as docs/otlp.md says, through OTEL_… of the environment.
// e2e/otlp_test.go starts it, and reads the one line that it prints.
const { diag, DiagLogLevel, SpanKind } = require('@opentelemetry/api');
const { ExportResultCode } = require('@opentelemetry/core');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const [protocol, count] = [process.argv[2], Number(process.argv[3])];
const packages = { json: '@opentelemetry/exporter-trace-otlp-http', protobuf: '@opentelemetry/exporter-trace-otlp-proto', grpc: '@opentelemetry/exporter-trace-otlp-grpc' };

// What the SDK has to say: that it is not content.
const said = [];
const say = (...words) => said.push(words.map((w) => (w instanceof Error ? w.message : typeof w === 'string' ? w : JSON.stringify(w))).join(' '));
diag.setLogger({ error: say, warn: say, info() {}, debug() {}, verbose() {} }, { logLevel: DiagLogLevel.WARN });

// exporter keeps what it was given, so that it can be sent again.
class Exporter {
  constructor(inner) {
    Object.assign(this, { inner, batches: [], failures: [] });
  }

  export(spans, done) {
    this.batches.push(spans);
    this.send(spans, done);
  }

  send(spans, done) {
    this.inner.export(spans, (result) => {
      if (result.code !== ExportResultCode.SUCCESS) this.failures.push(String(result.error));
      done(result);
    });
  }

  async again() {
    for (const spans of this.batches) await new Promise((resolve) => this.send(spans, resolve));
  }

  forceFlush() {
    return this.inner.forceFlush();
  }

  shutdown() {
    return this.inner.shutdown();
  }
}

async function main() {
  const { OTLPTraceExporter } = require(packages[protocol]);
  const exporter = new Exporter(new OTLPTraceExporter());
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxExportBatchSize: 64, maxQueueSize: 4096 })],
  });
  const tracer = provider.getTracer('e2e');
  const now = Math.floor(Date.now() / 1000);

  // span i is what wantedSpan in e2e/otlp_test.go says.
  const span = (i, kind) => {
    const post = i % 7 === 3;
    const route = post ? '/orders/:id' : '/users/:id';
    const name = post ? 'POST ' + route : 'GET ' + route;
    const startTime = [now - 60, i * 1_000_000];
    const s = tracer.startSpan(name, {
      kind,
      startTime,
      attributes: { 'http.request.method': post ? 'POST' : 'GET', 'http.route': route, 'url.path': `/users/${i}`, 'url.query': 'secret=1', 'enduser.id': `${protocol}-${i}` },
    });
    s.setAttribute('http.response.status_code', i % 11 === 5 ? 503 : post ? 201 : 200);
    s.end([startTime[0], startTime[1] + 1_500_000 + i * 250_000]);
    return s.spanContext();
  };

  const flush = () => provider.forceFlush().catch(say); // a failed export is one of failures too
  const ids = [];
  for (let i = 0; i < count; i++) {
    const { traceId, spanId } = span(i, SpanKind.SERVER);
    ids.push([traceId, spanId]);
  }
  await flush();
  const batches = exporter.batches.length;
  await exporter.again();
  const complaints = said.splice(0);

  // One that Weir does not take, beside one that it does.
  span(count, SpanKind.SERVER);
  span(count + 1, SpanKind.INTERNAL);
  await flush();
  await provider.shutdown();
  console.log(JSON.stringify({ ids, batches, failures: exporter.failures, complaints, partial: said }));
}

main();
