// The mock server's answers for the settings: always the same, and what is changed is not kept.

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** The time so many milliseconds from now. */
const from = (ms) => new Date(Date.now() + ms).toISOString()

const people = [
  { id: 'u1', email: 'ada@example.org', name: 'Ada Lovelace' },
  { id: 'u2', email: 'grace@example.org', name: 'Grace Hopper' },
  { id: 'u3', email: 'katherine.coleman.goble.johnson@mathematics.example.org', name: 'Katherine Johnson' },
]

const login = (id, device, country, network, ms) => ({
  id, device, country, network, current: id === 's1', created_at: from(-6 * DAY), used_at: from(ms), ends_at: from(ms + 7 * DAY),
})

const token = (id, name, scopes, more) => ({ id, name, scopes, last4: `x${id}7k`.slice(-4), created_at: from(-20 * DAY), ...more })

const tokens = [
  token('t1', 'Nightly export', ['read', 'persons'], { project: 'demo', expires_at: from(70 * DAY), last_used_at: from(-2 * HOUR) }),
  token('t2', 'CI', ['read'], { expires_at: from(-2 * DAY), last_used_at: from(-3 * DAY) }),
  token('t3', 'Laptop', ['read', 'persons', 'write', 'admin']),
]

const invitation = (id, email, more) => ({ id, email, admin: false, created_at: from(-DAY), expires_at: from(6 * DAY), ...more })
const link = (kind) => ({ url: `https://weir.example.org/#${kind}=wi_MOCKMOCKMOCKMOCKMOCKMOCK`, mailed: false })

const key = (id, more) => ({ id, last4: `${id}Zq`.slice(-4), created_at: from(-90 * DAY), origins: [], ...more })

const entry = (i, act, more) => ({ id: `a${i}`, at: from(-i * 5 * HOUR), act, refused: false, via: 'page', request_id: `r${i}`, user: 'u1', name: 'ada@example.org', address: '192.0.2.0/24', ...more })

const entries = [
  entry(0, 'sign-in'),
  entry(1, 'token.create', { project: 'demo', target: 't1', detail: { name: 'Nightly export', scopes: 'read persons' } }),
  entry(2, 'member.change', { project: 'demo', target: 'u2', detail: { role: 'editor' }, via: 'cli' }),
  entry(3, 'sign-in', { refused: true, user: undefined, name: undefined, address: '2001:db8:1::/48' }),
  entry(4, 'project.change', { project: 'demo', target: 'demo', detail: { changed: 'timezone,retention_days' }, via: 'api' }),
  entry(5, 'profile.erase', { project: 'demo', target: 'p', user: 'u2', name: 'grace@example.org' }),
  entry(6, 'unheard.of', { project: 'demo', target: 'k1' }),
]

const codes = Array.from({ length: 10 }, (_, i) => `k7qm-${2345 + i}-xw4p-zr${i}t`)

const nothing = () => {}

/** The answers by operation. */
export function settings({ scenario, user, projects }) {
  const empty = scenario === 'empty'
  const all = (list) => (empty ? [] : list)
  const page = ({ url }) => {
    const act = url.searchParams.get('act')
    return { entries: all(entries).filter((e) => !act || e.act === act || e.act.startsWith(`${act}.`)), ...(empty ? {} : { next_cursor: 'older' }) }
  }
  const project = (id) => projects.find((p) => p.id === id) ?? projects[0]
  return {
    'list-sessions': () => ({
      sessions: [
        login('s1', 'Firefox on Linux', 'DE', '192.0.2.0/24', -60_000),
        ...all([login('s2', 'Safari on iOS', 'JP', '2001:db8:1::/48', -2 * DAY), login('s3', '', '', '198.51.100.0/24', -5 * DAY)]),
      ],
    }),
    'end-session': nothing,
    'end-sessions': nothing,
    'change-password': () => ({ user, setup_required: false }),
    'start-totp': () => ({
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      url: 'otpauth://totp/Weir:ada@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Weir&algorithm=SHA1&digits=6&period=30',
    }),
    'confirm-totp': () => ({ recovery_codes: codes }),
    'new-recovery-codes': () => ({ recovery_codes: codes }),
    'remove-totp': () => ({ user, setup_required: false }),
    'list-own-tokens': () => ({ tokens: all(tokens) }),
    'list-tokens': () => ({ tokens: all(tokens.map((t) => Object.assign({}, t, { project: 'demo' }))) }),
    'create-own-token': ({ body }) => ({ ...token('t9', body.name, body.scopes), token: 'wt_MOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCK' }),
    'create-token': ({ body }) => ({ ...token('t9', body.name, body.scopes), token: 'wt_MOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCK' }),
    'revoke-own-token': nothing,
    'revoke-token': nothing,
    'list-members': () => ({ members: people.map((p, i) => Object.assign({}, p, { role: ['admin', 'editor', 'viewer'][i] })) }),
    'change-member': ({ body }) => ({ ...people[1], role: body.role }),
    'remove-member': nothing,
    'list-invitations': () => ({ invitations: all([invitation('i1', 'alan@example.org', { project: 'demo', role: 'viewer' })]) }),
    'list-admin-invitations': () => ({ invitations: all([invitation('i2', 'edsger@example.org', { admin: true })]) }),
    invite: ({ body }) => ({ ...invitation('i9', body.email, { role: body.role, project: 'demo' }), ...link('invitation') }),
    'invite-admin': ({ body }) => ({ ...invitation('i9', body.email, { admin: true }), ...link('invitation') }),
    'withdraw-invitation': nothing,
    'withdraw-admin-invitation': nothing,
    'list-users': () => ({
      users: people.map((p, i) => Object.assign({}, p, { admin: i < 2, active: i < 2, second_factor: i === 1, created_at: from(-200 * DAY) })),
    }),
    'change-user': ({ body }) => ({ ...people[1], admin: false, second_factor: false, created_at: from(-200 * DAY), active: body.active }),
    'reset-user': () => ({ ...link('reset'), expires_at: from(DAY) }),
    'end-user-sessions': nothing,
    'reset-totp': nothing,
    'list-admins': () => ({ admins: people.slice(0, 2).map((p, i) => Object.assign({}, p, { owner: i === 0, created_at: from(-200 * DAY) })) }),
    'add-admin': () => ({ ...people[2], owner: false, created_at: from(-200 * DAY) }),
    'remove-admin': nothing,
    'hand-over': nothing,
    'get-sign-in': () => ({ require_second_factor: false, no_passwords: false, provider: null }),
    'change-sign-in': ({ body }) => ({ require_second_factor: body.require_second_factor, no_passwords: false, provider: null }),
    audit: page,
    'project-audit': page,
    'list-keys': () => ({
      keys: all([
        key('k1', { origins: ['shop.example', '*.shop.example'] }),
        key('k2', { revoked_at: from(2 * DAY) }),
        key('k3', { revoked_at: from(-9 * DAY) }),
      ]),
    }),
    'create-key': ({ body }) => ({ ...key('k9', { origins: body.origins ?? [] }), write_key: 'wk_MOCKMOCKMOCKMOCKMOCKMOCK' }),
    'rotate-key': () => ({ ...key('k9'), write_key: 'wk_MOCKMOCKMOCKMOCKMOCKMOCK' }),
    'change-key': nothing,
    'revoke-key': nothing,
    'get-usage': () => ({
      month: '2026-11', from: from(-28 * DAY), to: from(2 * DAY), used: 812_345, quota: 1_000_000, remaining: 187_655, used_up: false, over: 'refuse',
      sample: 10, refused: 0, sampled_out: 0, flagged: 0, rate_limited: 1234, address_filtered: 56, bots_dropped: 0, limit_key: '1000/s', limit_ip: '600/m', as_of: from(0),
    }),
    'change-project': ({ params, body }) => {
      if (body.name === '') {
        throw Object.assign(new Error('name: 1 to 100 characters, none of them a control character'), { status: 400, code: 'invalid' })
      }
      return { ...project(params.id), ...body }
    },
    'delete-project': ({ params }) => ({ project: params.id, name: project(params.id).name, requested_at: from(0), step: 'waiting', passes: 0 }),
    'list-project-deletions': () => ({
      deletions: all([
        { project: 'p7', name: 'Old shop', requested_at: from(-60_000), step: 'cold', passes: 0, error: 'the cold tier does not answer' },
        { project: 'p6', name: 'Trial', requested_at: from(-40 * DAY), step: 'done', passes: 4 },
      ]),
    }),
  }
}
