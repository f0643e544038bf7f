// What the scenarios have in common: whom they send to, the words of the story, and the report.
//
// A scenario tells the story through its SDK's public API alone. It prints one line of JSON when the SDK has nothing left to
// send, waits until its standard input ends, ends itself, and prints a second line: the errors that came after the first.
import process from 'node:process';

const { WEIR_URL: url, WEIR_KEY: key, WEIR_BATCH = '250' } = process.env;
if (!url || !key) throw new Error('WEIR_URL and WEIR_KEY must be set');

export const target = { url: url.replace(/\/$/, ''), key };

/** How many events `tick` the story has. */
export const ticks = Number(WEIR_BATCH);

/** Properties of every type that JSON has. */
export const properties = {
  plan: 'pro',
  seats: 3,
  price: 9.5,
  trial: true,
  nothing: null,
  tags: ['a', 'b'],
  nested: { a: { b: 1 } },
  text: 'Größe "XL" \\ 漢字 😀',
};

/** The same for SDKs that take strings alone. */
export const strings = { plan: 'pro', seats: '3', text: properties.text };

export const traits = { email: 'ada@example.org', first: 'Ada', last: 'Lovelace', plan: 'pro', age: 36 };

/** The page by which the story begins, and whence its visitor comes. */
export const site = {
  origin: 'http://shop.example',
  home: '/?utm_source=newsletter&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top',
  homeTitle: 'Home',
  pricing: '/pricing?tab=yearly',
  pricingTitle: 'Pricing',
  referrer: 'https://www.google.com/',
};

const said = [];
const word = (w) => (w instanceof Error ? String(w.stack?.split('\n')[0] ?? w) : typeof w === 'string' ? w : (JSON.stringify(w) ?? String(w)));

/** Keeps what an SDK complains about. */
export const complain = (...words) => said.push(words.map(word).join(' '));

for (const level of ['warn', 'error']) console[level] = (...words) => complain(`console.${level}:`, ...words);
process.on('unhandledRejection', (err) => complain('unhandled:', err));
process.on('uncaughtException', (err) => complain('uncaught:', err));
process.on('warning', (warning) => complain('warning:', warning.name, warning.message));

// What was sent, in the SDK's own words: {kind, name?, id?, user?, device?, session?, n?}.
const sent = [];

/** Notes an event that the SDK was given, or gave to its hook. */
export const note = (event) => sent.push(event);

// Who started the scenario is gone, or has heard enough.
let reported = false;
process.stdin.resume();
process.stdin.on('end', () => {
  if (!reported) process.exit(1);
});

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Prints the report, waits until nobody listens any more, and prints what was said since. end frees what the scenario holds. */
export async function report(sdk, more = {}, end = async () => {}) {
  print({ sdk, sent, errors: said.splice(0), ...more });
  if (process.stdin.readableEnded) process.exit(0);
  reported = true;
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await end();
  print({ errors: said });
  process.exit(0);
}
