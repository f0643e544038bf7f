// A stand-in for the server, for work on the dashboard: it serves dist and
// answers the API with made-up numbers, as openapi.json describes them. Nothing
// is kept.
//
//   PORT=8080 SCENARIO=site RATE=5 node mock/server.mjs
//
// SCENARIO: site, calls (an API without pages), empty (no event until RATE > 0
// makes some), error (all numbers fail), stale (no live stream), setup (first
// run, with the code MOCK), none (no project), invitation-account (to somebody with an account),
// factor (the sign-in takes a code), provider and provider-only (with an identity provider,
// and without passwords), server (an administrator of the server), required (a second factor is asked of everybody),
// share-password (the shared link takes "a long password"). The links /share/wl_MOCK, /share/wl_LIVE, #invitation=MOCK
// and #reset=MOCK are always good. RATE is in events per second. Sign in with any
// address and the password "correct horse".

import { createMock } from './mock.mjs'

const { PORT = '8080', SCENARIO = 'site', RATE = SCENARIO === 'empty' ? '0' : '5' } = process.env

createMock({ scenario: SCENARIO, rate: Number(RATE) }).listen(Number(PORT), '127.0.0.1', () =>
  console.log(`mock (${SCENARIO}) on http://127.0.0.1:${PORT}`),
)
