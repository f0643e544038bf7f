// The texts of the dashboard, but for those of the settings. A translation is another file of this shape.

import type { Language } from './language'
import { share, shared } from './messages.share'

const en = {
  share,
  shared,

  product: 'Weir',
  tagline: 'Measure the stream without stopping it.',
  skip: 'Skip to content',
  loading: 'Loading',
  retry: 'Try again',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  none: 'None',
  unknown: 'Unknown',
  other: 'Other',
  asOf: (time: string) => `as of ${time}`,
  refreshFailed: 'Could not refresh',

  error: {
    title: 'This could not be loaded',
    unreachable: 'The server cannot be reached. Check that it is running.',
    page: 'Something went wrong',
    notFound: 'There is no such page',
    home: 'Go to the start page',
    noProject: 'There is no such project, or you may not see it.',
  },

  account: {
    setupTitle: 'Create the owner account',
    setupIntro: 'This server is new. The owner can see and change everything.',
    code: 'Set-up code',
    codeHint: 'The server printed it. The admin token will do, too.',
    codeMissing: 'Enter the code or the admin token.',
    setupSubmit: 'Create account',
    loginTitle: 'Sign in',
    loginIntro: 'Welcome back.',
    loginSubmit: 'Sign in',
    logout: 'Sign out',
    menu: 'Account',
    settings: 'Settings',
    name: 'Name',
    email: 'Email',
    password: 'Password',
    passwordHint: (n: number) => `At least ${n} characters.`,
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    nameMissing: 'Enter your name.',
    emailMissing: 'Enter an email address.',
    emailInvalid: 'This does not look like an email address.',
    passwordMissing: 'Enter a password.',
    passwordShort: (n: number) => `Use at least ${n} characters.`,
  },

  login: {
    changed: 'Your new password is set. Sign in with it.',
    or: 'or',
    provider: (name: string) => `Sign in with ${name}`,
    providerOnly: 'This server takes no passwords.',
    failed: 'You are not signed in',
    forgotten: 'Forgotten password?',
    back: 'Back to sign-in',
  },

  factor: {
    title: 'Second factor',
    intro: 'Enter the code that your authenticator app shows now.',
    code: 'Code',
    codeHint: 'Without the app, enter a recovery code: each works once.',
    codeMissing: 'Enter the code.',
    submit: 'Go on',
    back: 'Sign in as somebody else',
  },

  forgotten: {
    title: 'Forgotten password',
    intro: 'Enter your address to get a link. You choose a new password there.',
    submit: 'Send the link',
    sentTitle: 'Look at your mail',
    sent: (email: string) => `If there is an account for ${email}, and this server sends mail, a link is on its way.`,
    sentMore: 'No mail came? Ask an administrator of this server for a link.',
  },

  reset: {
    title: 'Choose a new password',
    intro: 'It takes the place of the one before. Wherever you are signed in, you are signed out.',
    password: 'New password',
    submit: 'Set password',
  },

  invitation: {
    title: 'You are invited',
    toAdmin: 'You are to be an administrator of this server.',
    toProject: (project: string, role: string) => `Join the project ${project} ${role}.`,
    roles: {
      viewer: 'as a viewer: you see its numbers',
      editor: 'as an editor: you see its numbers and people',
      admin: 'as an admin: you see all of it and change its settings',
    },
    accept: 'Accept',
    create: 'Create account',
    signedIn: (email: string) => `You are signed in as ${email}.`,
    hasAccount: (email: string) => `There is an account for ${email}. Sign in first, then accept.`,
    withProvider: (email: string) => `Sign in as ${email} first, then accept.`,
    otherAccount: (email: string, other: string) =>
      `The invitation is for ${email}, but you are signed in as ${other}. Sign out first.`,
    overTitle: 'This invitation cannot be used',
  },

  theme: {
    toDark: 'Use the dark theme',
    toLight: 'Use the light theme',
  },

  project: {
    switch: 'Project',
    noneTitle: 'No project yet',
    noneText: 'Make the first one with the admin token that the server printed when it first started.',
    firstTitle: 'Waiting for the first event',
    firstText: 'Send one with the project’s write key, and this page comes to life by itself.',
    firstKey: 'The write key was shown when the project was made.',
    firstListening: 'Listening',
  },

  live: {
    state: {
      connecting: 'Connecting',
      live: 'Live',
      polling: 'Every 5 s',
      paused: 'Paused',
      offline: 'Offline',
    },
    explain: {
      connecting: 'Connecting to the live stream',
      live: 'Events show as they come in. Press to pause.',
      polling: 'The live stream is down; refreshed every 5 seconds. Press to pause.',
      paused: 'Press to go on.',
      offline: 'The server does not answer; trying again. Press to pause.',
    },
  },

  now: {
    title: 'Now',
    visitors: 'Live visitors',
    visitorsHint: (n: string, bots: string) => `${n} today, without ${bots} bots`,
    minute: 'This minute',
    minuteHint: 'events so far',
    events: 'Events today',
    eventsHint: (n: string) => `${n} this hour`,
    against: (change: string) => `${change} on yesterday`,
    againstTitle: (yesterday: string, week: string) => `By this time: ${yesterday} yesterday, ${week} a week ago`,
    calls: 'Calls today',
    callsHint: (n: string) => `${n} this hour`,
    success: 'Success rate',
    successHint: 'of today’s calls',
    chart: { minute: 'Events per minute', hour: 'Events per hour', day: 'Events per day' },
    span: { minute: 'last 60 minutes', hour: 'last 24 hours', day: 'last 30 days' },
    range: 'Width of a point',
    ranges: { minute: 'Minute', hour: 'Hour', day: 'Day' },
    soFar: 'so far',
    summary: (title: string, span: string, last: string, peak: string) =>
      `${title}, ${span}: ${last} now, ${peak} at most`,
  },

  today: {
    title: 'Today’s calls',
    views: { hot: 'Hot', failing: 'Failing', consumers: 'Who' },
    empty: { hot: 'No calls today.', failing: 'No call failed today.', consumers: 'No call today names its consumer.' },
    failing: (api: string, errors: string, calls: string) => `${api}: ${errors} of ${calls} failed`,
  },

  recent: {
    title: 'Recent events',
    held: (n: string) => `${n} new`,
    saved: (time: string) => `stored up to ${time}`,
    empty: 'No events yet.',
    columns: { time: 'Time', event: 'Event', path: 'Page or route', place: 'Place', client: 'Client', who: 'Who' },
    details: (name: string) => `Details of ${name}`,
  },

  detail: {
    id: 'Id',
    time: 'Time',
    path: 'Path',
    title: 'Title',
    call: 'Call',
    status: 'Status',
    latency: 'Latency',
    error: 'Error',
    requestSize: 'Request',
    responseSize: 'Response',
    bytes: (n: string) => `${n} bytes`,
    trace: 'Trace',
    consumer: 'Consumer',
    duration: 'Time on page',
    referrer: 'Referrer',
    channel: 'Channel',
    place: 'Place',
    language: 'Language',
    browser: 'Browser',
    os: 'System',
    deviceType: 'Device type',
    device: 'Device',
    profile: 'Profile',
    visit: 'Visit',
    library: 'SDK',
    bot: 'Bot',
    yes: 'Yes',
    properties: 'Properties',
    noProperties: 'No properties.',
  },

  period: {
    title: 'Over time',
    label: 'Period',
    names: { today: 'Today', '7d': 'Last 7 days', '30d': 'Last 30 days' },
    before: { today: 'yesterday', '7d': 'the 7 days before', '30d': 'the 30 days before' },
    noBots: 'Leave out bots',
  },

  growth: {
    total: 'Events',
    unique: 'People',
    was: (n: string, before: string) => `${n} ${before}`,
    change: (pct: string, before: string) => `${pct} against ${before}`,
    botsLeftOut: (n: string) => `${n} bots left out`,
    nothingBefore: 'Nothing to compare with yet',
    previous: 'Before',
    summary: (title: string, total: string) => `${title} over time, ${total} in all`,
  },

  pages: {
    title: 'Top pages',
    pathsTitle: 'Top paths',
    empty: 'No pages in this period.',
    note: (bots: string) => `${bots} bots left out`,
    columns: { path: 'Page', visitors: 'Visitors', views: 'Views', time: 'Time', bounce: 'Bounce' },
    hits: 'Events',
  },

  routes: {
    title: 'Routes',
    note: (calls: string, success: string) => `${calls} calls, ${success} succeed`,
    sort: 'Order of the routes',
    sorts: { calls: 'Calls', errors: 'Errors', latency: 'Slowest' },
    columns: { route: 'Route', calls: 'Calls', success: 'Success', p50: 'Median', p95: 'p95', apdex: 'Apdex' },
  },

  breakdown: {
    empty: 'Nothing in this period.',
    place: 'Places',
    client: 'Clients',
    source: 'Sources',
    call: 'Calls',
    by: {
      country: 'Country',
      city: 'City',
      browser: 'Browser',
      os: 'System',
      device_type: 'Device',
      channel: 'Channel',
      referrer: 'Referrer',
      status: 'Status',
      method: 'Method',
      consumer: 'Consumer',
    },
  },
}

export type Messages = typeof en

/** The texts in the language of the page. */
export let m: Messages = en

export let locale: Language = 'en'

/** Loads the texts of a language. Called once, before anything is shown. */
export async function speak(language: Language) {
  if (language === 'zh') m = (await import('./messages.zh')).zh
  locale = language
  document.documentElement.lang = language
}
