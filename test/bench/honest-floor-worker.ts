import { type CallIds, RelaySession as Floor, type FloorEnv } from "./floor-worker.ts";
import { accepted, CONTEXT } from "./wire.ts";

interface HonestEnv extends Omit<FloorEnv, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
  PUBLIC_URL: string;
  SIGNING_KEY: string;
  /** 32 bytes, base64. */
  CREDENTIALS_KEY: string;
}

/** As much as Partyline seals of a call. */
const state = {
  v: 1,
  entry: "0123456789abcdef",
  step: 1,
  purpose: "settle",
  place_step: 0,
  placing: {
    action: "place",
    rule: "team-0",
    ruleset: "0123456789abcdef".repeat(4),
    decided_at: 1_790_000_000_000,
    rooms: ["team-0"],
    strategy: "first",
    role: "participant",
    join: { beep: "onEnter", region: "us", max_participants: 100 },
  },
};

const encoder = new TextEncoder();
let keys: Promise<{ hmac: CryptoKey; seal: CryptoKey }> | null = null;

/**
 * The honest floor: the smallest session that keeps Partyline's guarantees. A row is there before the join's frame, and an event is
 * in it before its ack.
 */
export class RelaySession extends Floor {
  protected override readonly contexts = [CONTEXT];

  constructor(ctx: DurableObjectState, env: FloorEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS calls (call_id TEXT PRIMARY KEY, node_id TEXT NOT NULL, room TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  override async place(call: CallIds): Promise<void> {
    const socket = await this.connected();
    this.#insert(call);
    await this.answerAndJoin(socket, call);
  }

  protected override acknowledge(socket: WebSocket, id: string, call: CallIds, event_type: string): void {
    if (event_type === "calling.call.receive") {
      this.#insert(call);
      super.acknowledge(socket, id, call, event_type);
      const { call_id, node_id } = call;
      void this.answerAndJoin(socket, { call_id, node_id });
      return;
    }
    // What was told of it last.
    this.ctx.storage.sql.exec(
      "UPDATE calls SET state = ?, at = ? WHERE call_id = ?",
      event_type,
      Date.now(),
      call.call_id,
    );
    super.acknowledge(socket, id, call, event_type);
  }

  #insert({ call_id, node_id }: CallIds): void {
    this.ctx.storage.sql.exec(
      "INSERT INTO calls (call_id, node_id, room, state, at) VALUES (?, ?, 'acme:floor', 'sending', ?)",
      call_id,
      node_id,
      Date.now(),
    );
  }
}

export default {
  async fetch(request, env) {
    const body = await request.arrayBuffer();
    keys ??= importKeys(env);
    const { hmac, seal } = await keys;
    if (!(await isSigned(request, body, env.PUBLIC_URL, hmac))) return new Response(null, { status: 403 });
    const { call } = JSON.parse(new TextDecoder().decode(body)) as { call: CallIds }; // Signed by SignalWire.
    await sealed(seal, call.call_id);
    await env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName("floor")).place(call);
    return new Response(accepted, { headers: { "content-type": "application/json" } });
  },
} satisfies ExportedHandler<HonestEnv>;

async function importKeys({ SIGNING_KEY, CREDENTIALS_KEY }: HonestEnv) {
  const secret = Uint8Array.from(atob(CREDENTIALS_KEY), (character) => character.charCodeAt(0));
  const [hmac, seal] = await Promise.all([
    crypto.subtle.importKey("raw", encoder.encode(SIGNING_KEY), { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]),
    crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt"]),
  ]);
  return { hmac, seal };
}

async function isSigned(
  request: Request,
  body: ArrayBuffer,
  public_url: string,
  key: CryptoKey,
): Promise<boolean> {
  const url = encoder.encode(public_url + new URL(request.url).pathname);
  const signed = new Uint8Array(url.length + body.byteLength);
  signed.set(url);
  signed.set(new Uint8Array(body), url.length);
  const hex = request.headers.get("x-signalwire-sha256-signature") ?? "";
  const signature = Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
  return await crypto.subtle.verify("HMAC", key, signature, signed);
}

async function sealed(key: CryptoKey, call_id: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(call_id) };
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, encoder.encode(JSON.stringify(state)));
  const bytes = new Uint8Array(iv.length + ciphertext.byteLength);
  bytes.set(iv);
  bytes.set(new Uint8Array(ciphertext), iv.length);
  return btoa(String.fromCharCode(...bytes));
}
