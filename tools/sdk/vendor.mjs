// Answers as the vendors do, and keeps nothing.
import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

const json = (value, status = 200) => ({ status, type: 'application/json', body: JSON.stringify(value) });
const text = (body, status = 200) => ({ status, type: 'text/plain', body });

const device = 'd0123456789abcdef0123456789abcde';

const routes = [
  [/^\/(track|engage|groups|import)\/?\?.*verbose=1/, () => json({ status: 1, error: null })],
  [/^\/(e|i\/v0\/e|batch|capture|track|engage)\/?\?.*beacon=1/, () => ({ status: 204, body: '' })],
  [/^\/(e|i\/v0\/e|batch|capture|engage)\/?(\?|$)/, () => json({ status: 'Ok' })],
  [/^\/i\/v1\/analytics\/events/, (body) => json({ results: Object.fromEntries(body.batch.map(({ uuid }) => [uuid, { result: 'ok' }])) })],
  [/^\/(flags|decide)\/?(\?|$)/, () => json({ flags: {}, errorsWhileComputingFlags: false, requestId: randomUUID(), evaluatedAt: Date.now() })],
  [/^\/array\/[^/]+\/config\.js/, () => ({ status: 200, type: 'text/javascript', body: '' })],
  [/^\/array\/[^/]+\/config/, () => json({ hasFeatureFlags: false, supportedCompression: ['gzip', 'gzip-js'], sessionRecording: false, heatmaps: false, capturePerformance: false, autocaptureExceptions: false, autocapture_opt_out: false })],
  [/^\/api\/surveys/, () => json({ surveys: [] })],
  [/^\/api\/early_access_features/, () => json({ earlyAccessFeatures: [] })],
  [/^\/api\/event/, () => text('ok', 202)],
  [/^\/api\/send/, () => json({ cache: 'cache.of.the.session', sessionId: randomUUID(), visitId: randomUUID() })],
  [/^\/track\/?$/, () => json({ deviceId: device, sessionId: 'session-0123456789' })],
  [/^\/g\/collect/, () => ({ status: 204, body: '' })],
  [/^\/healthz$/, () => text('ok')],
  [/^\/2\/httpapi/, () => json({ code: 200, events_ingested: 1, payload_size_bytes: 1, server_upload_time: Date.now() })],
  [/^\/v1\/[a-z]+\/?$/, () => json({ success: true })],
];

/** The answer to a request of an SDK, with CORS headers as every ingest route has them. */
export function answer(req, raw) {
  const cors = {
    'Access-Control-Allow-Origin': req.headers.origin ?? '*',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
    'Access-Control-Allow-Headers': req.headers['access-control-request-headers'] ?? '*',
    'Access-Control-Expose-Headers': 'Retry-After',
  };
  if (req.method === 'OPTIONS') return { status: 204, headers: cors, body: '' };
  for (const [path, reply] of routes) {
    if (!path.test(req.url)) continue;
    const body = path.source.includes('v1\\/analytics') ? JSON.parse(raw[0] === 0x1f ? gunzipSync(raw) : raw) : undefined;
    const { status, type, body: out } = reply(body);
    return { status, headers: { ...cors, ...(type && { 'Content-Type': type }) }, body: out };
  }
  return { status: 404, headers: cors, body: 'not found' };
}
