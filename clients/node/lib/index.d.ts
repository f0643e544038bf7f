/// <reference types="node" />
import type { IncomingMessage, ServerResponse } from 'node:http';

export declare const VERSION: string;

/** One thing that happened. Only name, or call, must be there. */
export interface Event {
  /** Sending it again under the same id adds nothing; a UUIDv7 when missing. */
  id?: string;
  name?: string;
  /** Milliseconds since 1970, a Date, or RFC 3339; now when missing. */
  ts?: number | Date | string;
  profile_id?: string;
  device_id?: string;
  session_id?: string;
  url?: string;
  path?: string;
  title?: string;
  referrer?: string;
  ip?: string;
  user_agent?: string;
  language?: string;
  revenue?: number;
  currency?: string;
  properties?: Record<string, unknown>;
  /** What the user belongs to: ids by type, such as company. */
  groups?: Record<string, string | number>;
  call?: Call;
}

export interface Call {
  method?: string;
  /** The route's pattern, such as /users/:id. */
  route?: string;
  status?: number;
  latency_ms?: number;
  /** Who called: a customer, a key's name; never the key itself. */
  consumer?: string;
  /** Size of the request's body; 0 is a value. */
  request_bytes?: number;
  /** Size of the response's body; 0 is a value. */
  response_bytes?: number;
  /** Why the call failed; 1,024 bytes are kept. */
  error?: string;
  /** Of the distributed trace. */
  trace_id?: string;
}

export type DropReason = 'full' | 'large' | 'invalid' | 'refused' | 'expired' | 'closed';

export interface Rejection {
  /** A stable word. */
  reason: string;
  detail: string;
  /** As it was sent. */
  event: Event;
}

export interface Options {
  /** Of the server, such as https://weir.example.com. */
  url: string;
  /** A write key of the project. */
  key: string;
  /** Most events of one request; 1000. */
  batchEvents?: number;
  /** Most bytes of one request before compression; 256 KiB. */
  batchBytes?: number;
  /** How long an event waits for others, in ms; 1000. */
  interval?: number;
  /** Most bytes of events in memory; 16 MiB. */
  queueBytes?: number;
  /** Of one request, in ms; 10 000. */
  timeout?: number;
  /** Most ms between two tries, if the server does not ask for more; 30 000. */
  maxBackoff?: number;
  /** How long a batch is tried, in ms; 12 h. Less than the server's dedup window. */
  retryFor?: number;
  /** How long close, and the end of the process, wait, in ms; 5000. */
  closeTimeout?: number;
  /** Told of events that the server did not take. */
  onRejected?: (events: Rejection[]) => void;
  /** Told of events that were given up. */
  onDropped?: (reason: DropReason, events: number) => void;
  /** console when missing; null is silent. */
  logger?: { warn(message: string): void } | null;
}

/** offered is the sum of accepted, duplicates, rejected, dropped and queued. */
export interface Stats {
  offered: number;
  accepted: number;
  /** Taken by the server before; the answer to it was lost. */
  duplicates: number;
  rejected: number;
  dropped: Record<DropReason, number>;
  queued: number;
  retries: number;
  queuedBytes: number;
}

export interface RecordOptions<Req = any, Res = any> {
  /** Names the route of a request that was answered; '' leaves it to the middleware. */
  route?: (req: Req, res: Res) => string | undefined;
  /** Names who called. Never return the secret that the caller showed: see keyConsumer. */
  consumer?: (req: Req, res: Res) => string | undefined;
  /** Says why the call failed. Never return a secret, or what is personal. */
  error?: (req: Req, res: Res) => Error | string | undefined;
  /** Leaves requests out, such as health checks. */
  skip?: (req: Req, res: Res) => boolean;
}

/** Sends events in batches, in the background. */
export declare class Weir {
  constructor(options: Options);
  /** Takes an event to be sent; it never waits and never throws. */
  send(event: Event): boolean;
  stats(): Stats;
  /** Sends what there is at once, and waits until it is delivered or given up. */
  flush(timeout?: number): Promise<void>;
  /** Sends what there is and ends the client; resolves to how many events were dropped. */
  close(timeout?: number): Promise<number>;
  /** Middleware for Express, Connect and their like. */
  express(options?: RecordOptions): (req: any, res: any, next: (error?: unknown) => void) => void;
  /** Records the calls of a listener of node:http. */
  http<Req = IncomingMessage, Res = ServerResponse>(
    listener: (req: Req, res: Res) => any,
    options?: RecordOptions<Req, Res>,
  ): (req: Req, res: Res) => any;
}

/** The route of a path that no pattern is known of. */
export declare function form(path: string): string;
/** For consumer: "key-" and 12 hex digits of the SHA-256 of the API key in a header. */
export declare function keyConsumer(header: string): (req: IncomingMessage) => string;
export declare function uuidv7(ms?: number): string;
