import { createHmac } from "node:crypto";

/** One HTTP request as the transport sends it. The URL has no fragment and no credentials. */
export interface WebhookRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a transport that can see its connection tells the sender; one that can't is taken to be connected at once. */
export interface Phases {
  /** Aborted when a limit has passed. */
  readonly signal: AbortSignal;
  connecting(): void;
  connected(): void;
}

export type WebhookMessage =
  /** A call's document: JSON, signed with SHA-1 and SHA-256. */
  | { readonly kind: "document"; readonly url: string; readonly body: Record<string, unknown> }
  /** A status callback in RELAY's form: JSON, signed with SHA-1. */
  | { readonly kind: "json"; readonly url: string; readonly body: Record<string, unknown> }
  /** A call's cXML document: a form, or a query, with scheme B. */
  | {
      readonly kind: "cxml";
      readonly url: string;
      readonly method: "GET" | "POST";
      readonly fields: readonly (readonly [string, string])[];
    }
  /** A callback in cXML's form; with GET the fields join the query. Repeated keys keep their order. */
  | {
      readonly kind: "form";
      readonly url: string;
      readonly method: "GET" | "POST";
      readonly fields: readonly (readonly [string, string])[];
    };

export type WebhookOutcome =
  | { readonly ok: true; readonly ms: number; readonly response: WebhookResponse }
  | { readonly ok: false; readonly ms: number; readonly reason: string };

/** Milliseconds. */
export interface WebhookLimits {
  readonly connect_ms: number;
  readonly read_ms: number;
  readonly total_ms: number;
}

export interface WebhookSenderOptions {
  /** The project's signing key, as it is now. */
  signing_key(): string;
  /** A configured URL's fragment is dropped before signing unless this is true; it is never sent. */
  fragment_is_signed(): boolean;
  /** Whether scheme B signs a URL without a port as if it had its scheme's standard one. */
  standard_port_is_signed(): boolean;
  /** Whether what is no document's request is signed. */
  callbacks_are_signed(): boolean;
  send(request: WebhookRequest, phases: Phases): Promise<WebhookResponse>;
  /** In milliseconds, and the clock that the limits run on. */
  clock: { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> };
  /** Told of each request when it is over. */
  note(entry: { url: string; kind: string; at: number; ms: number; status?: number; failed?: string }): void;
}

export interface WebhookSender {
  /** Sends once, without a retry. Never rejects. */
  send(message: WebhookMessage, signal?: AbortSignal): Promise<WebhookOutcome>;
}

/** SignalWire's published limits. */
const published: WebhookLimits = { connect_ms: 2000, read_ms: 5000, total_ms: 15_000 };
const longest_read_ms = 15_000;

/** Signs and sends webhooks as SignalWire does, within the limits that the URL's fragment may tune. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  async function send(message: WebhookMessage, signal?: AbortSignal): Promise<WebhookOutcome> {
    const at = options.clock.now();
    const made = requestOf(message, options);
    const is_document = message.kind === "document" || message.kind === "cxml";
    const request = is_document || options.callbacks_are_signed() ? made : unsigned(made);
    const outcome = await withinLimits(options, request, limitsOf(message.url), signal);
    const ms = options.clock.now() - at;
    const about = { url: request.url, kind: message.kind, at, ms };
    if (outcome.ok) {
      options.note({ ...about, status: outcome.response.status });
      return { ok: true, ms, response: outcome.response };
    }
    options.note({ ...about, failed: outcome.reason });
    return { ok: false, ms, reason: outcome.reason };
  }
  return { send };
}

/** Scheme A: the hex HMAC of URL and raw body. */
export function signBody(
  key: string,
  url: string,
  body: string | Uint8Array,
  algorithm: "sha1" | "sha256",
): string {
  return createHmac(algorithm, key).update(url).update(body).digest("hex");
}

/** Scheme B: the base64 HMAC-SHA1 of the URL and every key and value, keys in ASCII order, repeated keys as sent. */
export function signForm(key: string, url: string, fields: readonly (readonly [string, string])[]): string {
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return createHmac("sha1", key)
    .update(url + sorted.flat().join(""))
    .digest("base64");
}

/** The limits of a URL: `#ot=` connect, `#rt=` read (at most 15 s), `#tt=` total, in ms; what makes no sense is left out. */
export function limitsOf(url: string): WebhookLimits {
  const fragment = new URLSearchParams(url.split("#")[1] ?? "");
  const tuned = (name: string, otherwise: number) => {
    const text = fragment.get(name);
    return text !== null && /^[1-9]\d{0,6}$/.test(text) ? Number(text) : otherwise;
  };
  return {
    connect_ms: tuned("ot", published.connect_ms),
    read_ms: Math.min(tuned("rt", published.read_ms), longest_read_ms),
    total_ms: tuned("tt", published.total_ms),
  };
}

function requestOf(message: WebhookMessage, options: WebhookSenderOptions): WebhookRequest {
  const key = options.signing_key();
  const credentials = /^https?:\/\/([^/?#@]*)@/.exec(message.url)?.[1];
  // Cut as text: the URL is signed as it was configured, never as a parser would write it.
  const bare = message.url.replace(/^(https?:\/\/)[^/?#@]*@/, "$1");
  const [sent = bare] = bare.split("#");
  const signed = options.fragment_is_signed() ? bare : sent;
  const authorization: Record<string, string> =
    credentials === undefined ? {} : { authorization: `Basic ${base64OfCredentials(credentials)}` };
  const headers = { "user-agent": "SignalWire", ...authorization };
  if (message.kind === "form" || message.kind === "cxml") {
    const sign = (url: string, fields: typeof message.fields) =>
      signForm(key, options.standard_port_is_signed() ? withStandardPort(url) : url, fields);
    const form = new URLSearchParams(message.fields.map(([name, value]) => [name, value])).toString();
    if (message.method === "GET") {
      const url = sent + (sent.includes("?") ? "&" : "?") + form;
      return {
        method: "GET",
        url,
        headers: { ...headers, "x-signalwire-signature": sign(url, []) },
        body: "",
      };
    }
    const signature = sign(signed, message.fields);
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return {
      method: "POST",
      url: sent,
      headers: { ...headers, ...type, "x-signalwire-signature": signature },
      body: form,
    };
  }
  const body = JSON.stringify(message.body);
  const signatures: Record<string, string> = {
    "x-signalwire-signature": signBody(key, signed, body, "sha1"),
  };
  if (message.kind === "document") {
    signatures["x-signalwire-sha256-signature"] = signBody(key, signed, body, "sha256");
  }
  return {
    method: "POST",
    url: sent,
    headers: { ...headers, "content-type": "application/json", ...signatures },
    body,
  };
}

/** Nothing changes where the URL names a port. */
function withStandardPort(url: string): string {
  const port = url.startsWith("https:") ? ":443" : ":80";
  return url.replace(/^(https?:\/\/(?:\[[^\]]*\]|[^/?#:[]+))(?=[/?#]|$)/, `$1${port}`);
}

function unsigned(request: WebhookRequest): WebhookRequest {
  const { "x-signalwire-signature": _, ...headers } = request.headers;
  return { ...request, headers };
}

type Sent =
  | { readonly ok: true; readonly response: WebhookResponse }
  | { readonly ok: false; readonly reason: string };

async function withinLimits(
  { send, clock }: WebhookSenderOptions,
  request: WebhookRequest,
  limits: WebhookLimits,
  outer: AbortSignal | undefined,
): Promise<Sent> {
  const gone: Sent = { ok: false, reason: "the call is over" };
  if (outer?.aborted) return gone;
  const over = new AbortController();
  const late = Promise.withResolvers<Sent>();
  let phase = new AbortController();
  const limit = (ms: number, what: string, signal: AbortSignal) => {
    const expire = () => late.resolve({ ok: false, reason: `${what}: no answer within ${ms} ms` });
    // Cut short where the phase passed in time.
    clock.sleep(ms, AbortSignal.any([signal, over.signal])).then(expire, () => {});
  };
  const enter = (ms: number, what: string) => {
    phase.abort();
    phase = new AbortController();
    limit(ms, what, phase.signal);
  };
  const cancel = () => late.resolve(gone);
  outer?.addEventListener("abort", cancel, { once: true });
  limit(limits.total_ms, "total", over.signal);
  enter(limits.read_ms, "read");
  const answered = send(request, {
    signal: over.signal,
    connecting: () => enter(limits.connect_ms, "connect"),
    connected: () => enter(limits.read_ms, "read"),
  }).then(
    (response): Sent => ({ ok: true, response }),
    (error: unknown): Sent => ({ ok: false, reason: error instanceof Error ? error.message : String(error) }),
  );
  const outcome = await Promise.race([answered, late.promise]);
  outer?.removeEventListener("abort", cancel);
  over.abort();
  return outcome;
}

/** Percent-encoded `user:password` of a URL, as the Authorization header has it. */
function base64OfCredentials(credentials: string): string {
  const bytes = credentials.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("base64");
}
