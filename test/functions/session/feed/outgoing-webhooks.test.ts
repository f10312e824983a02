import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebhookDesk } from "../../../../functions/session/operator/webhook-desk.ts";
import { onStorage } from "../ledger.ts";
import { Followed, randomFrom } from "./feed-fixture.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "info").mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Received {
  url: string;
  id: string;
  seq: number;
  type: string;
  at: number;
}

/** Receivers, each of which answers as the test says, and checks what it gets with the secrets that it knows. */
class Receivers {
  readonly on: Followed;
  readonly desk: WebhookDesk;
  /** All attempts, and those that were taken. */
  readonly tried: Received[] = [];
  readonly taken: Received[] = [];
  readonly requests: RequestInit[] = [];
  /** How a receiver answers; null: not at all, until the sender gives up. */
  answer: (url: string, received: Received) => Response | null | Promise<Response> = () => new Response();
  readonly secrets = new Map<string, string>();

  constructor(sql: SqlStorage, most?: number) {
    const fetch = (url: string, init: RequestInit) => this.#receive(url, init);
    this.on = new Followed(sql, {
      fetch,
      credentials_key: env.CREDENTIALS_KEY ?? "",
      ...(most ? { most } : {}),
    });
    const { ledger, deliveries, feed, outgoing } = this.on;
    this.desk = new WebhookDesk(
      { ...ledger, deliveries, feed, outgoing },
      env.CREDENTIALS_KEY,
      () => {},
      () => this.on.now,
    );
  }

  async add(url: string, types: Parameters<WebhookDesk["create"]>[0]["types"] = null): Promise<string> {
    const reply = await this.desk.create({ tenant: "acme", project_id: "p-1", url, types });
    if (reply.outcome !== "made") throw new Error(reply.outcome);
    this.secrets.set(url, reply.secret);
    return reply.webhook.id;
  }

  happens(hash: string): void {
    this.on.feed.tell("acme", "rules.changed", { hash });
  }

  async run(until: number): Promise<void> {
    await this.on.run(until);
  }

  async #receive(url: string, init: RequestInit): Promise<Response> {
    const headers = init.headers as Record<string, string>;
    const body = String(init.body);
    vi.setSystemTime(this.on.now);
    // Throws where the signature is not the endpoint's, or its time is not now.
    const event = new Webhook(this.secrets.get(url) ?? "").verify(body, headers) as {
      seq: number;
      type: string;
    };
    vi.useRealTimers();
    this.requests.push(init);
    const { seq, type } = event;
    const received = { url, id: headers["webhook-id"] ?? "", seq, type, at: this.on.now };
    this.tried.push(received);
    const response = await this.answer(url, received);
    if (response === null) {
      this.on.pass(15_000);
      throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
    }
    if (response.ok) this.taken.push(received);
    return response;
  }
}

async function withReceivers(use: (receivers: Receivers) => Promise<void>, most?: number): Promise<void> {
  await onStorage("webhooks", async ({ sql }) => await use(new Receivers(sql, most)));
}

test("an alarm that has passed is not asked for again in the past, where it would come at once and again", async () => {
  await withReceivers(async (receivers) => {
    const { on } = receivers;
    await receivers.add("https://hooks.example.com/a");
    receivers.happens("h-1");
    on.pass(HOUR);
    expect(on.outgoing.nextAlarmAt(on.now)).toBeGreaterThan(on.now);
  });
});

test("a receiver that is down for a day gets every event, each under one id, signed", async () => {
  await withReceivers(async (receivers) => {
    const { on } = receivers;
    const url = "https://hooks.example.com/a";
    const start = on.now;
    let isUp = true;
    receivers.answer = () => (isUp ? new Response() : null);
    const id = await receivers.add(url);
    const random = randomFrom(7);
    for (let n = 0; n < 300; n += 1) {
      isUp = on.now < start + HOUR || on.now > start + 25 * HOUR;
      receivers.happens(`h-${n}`);
      await receivers.run(on.now + random() * 10 * MINUTE);
    }
    isUp = true;
    await receivers.run(start + 200 * HOUR);
    const first = receivers.taken[0]?.seq ?? 0;
    expect(receivers.taken.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
      [...Array(300).keys()].map((n) => first + n),
    );
    for (const { id: webhook_id, seq } of receivers.tried) expect(webhook_id).toBe(`msg_${id}_${seq}`);
    // While it was down it was not asked for every event anew.
    const inVain = receivers.tried.length - 300;
    expect(inVain).toBeGreaterThan(20);
    expect(inVain).toBeLessThan(600);
    // Once it is up, what waited comes within minutes, but for what was tried often already.
    const soon = receivers.taken.filter(({ at }) => at > start + 25 * HOUR && at < start + 25.5 * HOUR);
    expect(soon.length).toBeGreaterThan(100);
    const { deliveries } = receivers.desk.page("acme", id, null, 200) ?? { deliveries: [] };
    expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(["delivered"]));
    expect(receivers.desk.list("acme")).toMatchObject([{ state: "active", dropped: 0 }]);
  });
});

describe("an endpoint that does not answer", () => {
  test("keeps no other waiting: they get every event while it is tried once", async () => {
    await withReceivers(async (receivers) => {
      const dead = ["https://dead-1.example.com/", "https://dead-2.example.com/"];
      const never = Promise.withResolvers<Response>();
      receivers.answer = (url) => (dead.includes(url) ? new Response(null, { status: 503 }) : new Response());
      for (const url of [...dead, "https://good.example.com/"]) await receivers.add(url);
      for (let n = 0; n < 5; n += 1) {
        receivers.happens(`h-${n}`);
        await receivers.run(receivers.on.now + 10_000);
      }
      // They are known to fail, and hang now.
      receivers.answer = (url) => (dead.includes(url) ? never.promise : new Response());
      const before = receivers.taken.length;
      const tried = receivers.tried.length;
      receivers.on.pass(10 * MINUTE);
      for (let n = 0; n < 50; n += 1) receivers.happens(`g-${n}`);
      const running = receivers.on.outgoing.resume();
      await vi.waitFor(() => expect(receivers.taken.length).toBe(before + 50));
      const hanging = receivers.tried.slice(tried).filter(({ url }) => dead.includes(url));
      expect(hanging).toHaveLength(1);
      receivers.answer = () => new Response();
      never.resolve(new Response());
      await running;
    });
  });

  test("is given up for an event after its tenth try, three days later, and can be asked again by hand", async () => {
    await withReceivers(async (receivers) => {
      const { on } = receivers;
      receivers.answer = () => new Response(null, { status: 500 });
      const id = await receivers.add("https://hooks.example.com/");
      const start = on.now;
      receivers.happens("h");
      await receivers.run(start + 100 * HOUR);
      const tries = receivers.tried.map(({ at }) => (at - start) / MINUTE);
      expect(tries).toHaveLength(10);
      const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
      // Of those in the schedule, a tenth longer.
      expect(waits.map((wait) => Number(wait.toFixed(2)))).toEqual(
        [5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440].map((wait) => Number((wait * 1.1).toFixed(2))),
      );
      const [failed] = receivers.desk.page("acme", id, null, 9)?.deliveries ?? [];
      expect(failed).toMatchObject({
        state: "failed",
        attempts: 10,
        reason: "the receiver answered 500",
        due_at: null,
      });
      receivers.answer = () => new Response();
      expect(receivers.desk.resend("acme", id, failed?.id ?? "")).toMatchObject({
        state: "pending",
        attempts: 0,
      });
      await receivers.run(on.now);
      expect(receivers.taken).toMatchObject([{ id: failed?.id }]);
      expect(receivers.desk.page("acme", id, null, 9)?.deliveries).toMatchObject([{ state: "delivered" }]);
      expect(receivers.desk.resend("globex", id, failed?.id ?? "")).toBeNull();
      expect(receivers.desk.resend("acme", id, "msg_other_1")).toBeNull();
    });
  });

  test("loses the oldest where too many wait, and says how many", async () => {
    await withReceivers(async (receivers) => {
      receivers.answer = () => new Response(null, { status: 500 });
      await receivers.add("https://hooks.example.com/");
      for (let n = 0; n < 120; n += 1) receivers.happens(`h-${n}`);
      await receivers.run(receivers.on.now);
      receivers.answer = () => new Response();
      for (let n = 120; n < 320; n += 1) receivers.happens(`h-${n}`);
      await receivers.run(receivers.on.now + HOUR);
      const [webhook] = receivers.desk.list("acme");
      expect(webhook?.dropped).toBeGreaterThan(0);
      expect(receivers.taken.length).toBe(320 - (webhook?.dropped ?? 0));
      expect(Math.max(...receivers.taken.map(({ seq }) => seq))).toBe(receivers.on.log.seqOf("acme"));
    }, 100);
  });
});

test("410 disables the endpoint, whatever else waits for it", async () => {
  await withReceivers(async (receivers) => {
    receivers.answer = () => new Response(null, { status: 410 });
    const id = await receivers.add("https://hooks.example.com/");
    receivers.happens("h-1");
    await receivers.run(receivers.on.now);
    receivers.happens("h-2");
    await receivers.run(receivers.on.now + 100 * HOUR);
    expect(receivers.tried).toHaveLength(1);
    expect(receivers.desk.list("acme")).toMatchObject([{ id, state: "disabled" }]);
    const [delivery] = receivers.desk.page("acme", id, null, 9)?.deliveries ?? [];
    expect(delivery).toMatchObject({ state: "failed", reason: "the receiver answered 410" });
    expect(receivers.desk.resend("acme", id, delivery?.id ?? "")).toBe("disabled");
  });
});

test("Retry-After is obeyed, and a redirect is not followed", async () => {
  await withReceivers(async (receivers) => {
    const { on } = receivers;
    const answers = [
      new Response(null, { status: 429, headers: { "retry-after": "120" } }),
      new Response(null, { status: 302, headers: { location: "https://10.0.0.1/" } }),
    ];
    receivers.answer = () => answers.shift() ?? new Response();
    await receivers.add("https://hooks.example.com/");
    const start = on.now;
    receivers.happens("h-1");
    await receivers.run(start + 60_000);
    // Nor does it want others meanwhile.
    receivers.happens("h-2");
    await receivers.run(start + 119_000);
    expect(receivers.tried).toHaveLength(1);
    await receivers.run(start + HOUR);
    expect(receivers.tried.map(({ at }) => (at - start) / 1_000)).toEqual([0, 120, 120, 125.5]);
    expect(receivers.taken).toHaveLength(2);
    for (const init of receivers.requests) expect(init.redirect).toBe("manual");
  });
});

test("an endpoint gets the types that it asked for, and no speech", async () => {
  await withReceivers(async (receivers) => {
    await receivers.add("https://some.example.com/", ["rules.changed"]);
    await receivers.add("https://all.example.com/");
    receivers.happens("h-1");
    receivers.on.feed.tell("acme", "participant.speaking", { room: "acme:a", call_id: "c", speaking: true });
    const dial = {
      room: "acme:a",
      id: "d",
      to: "+15550100201",
      from: "+15550100100",
      state: "ringing",
      reason: "",
    };
    receivers.on.feed.tell("acme", "dial.updated", { ...dial, call_id: null });
    await receivers.run(receivers.on.now);
    const of = (url: string) => receivers.taken.filter((one) => one.url === url).map(({ type }) => type);
    expect(of("https://some.example.com/")).toEqual(["rules.changed"]);
    expect(of("https://all.example.com/")).toEqual(["rules.changed", "dial.updated"]);
  });
});

test("while a secret is rotated the old one and the new one both verify, and after a day the new one alone", async () => {
  await withReceivers(async (receivers) => {
    const url = "https://hooks.example.com/";
    const id = await receivers.add(url);
    const before = receivers.secrets.get(url) ?? "";
    const reply = await receivers.desk.rotate("acme", id);
    if (reply.outcome !== "made") throw new Error(reply.outcome);
    const sends = async (secret: string) => {
      receivers.secrets.set(url, secret);
      receivers.happens(secret);
      const taken = receivers.taken.length;
      await receivers.run(receivers.on.now);
      return receivers.taken.length - taken;
    };
    expect([await sends(before), await sends(reply.secret)]).toEqual([1, 1]);
    receivers.on.pass(24 * HOUR);
    expect([await sends(reply.secret), await sends(before)]).toEqual([1, 0]);
    expect(await receivers.desk.rotate("globex", id)).toEqual({ outcome: "unknown" });
    expect(JSON.stringify(receivers.desk.list("acme"))).not.toContain("whsec_");
  });
});

test("what waits when the object is lost is sent by the next", async () => {
  await onStorage("webhooks-lost", async ({ sql }) => {
    const lost = new Receivers(sql);
    lost.answer = () => new Response(null, { status: 500 });
    await lost.add("https://hooks.example.com/");
    lost.happens("h-1");
    await lost.run(lost.on.now);
    const next = new Receivers(sql);
    next.secrets.set("https://hooks.example.com/", lost.secrets.get("https://hooks.example.com/") ?? "");
    await next.run(next.on.now + HOUR);
    expect(next.taken.map(({ id }) => id)).toEqual([lost.tried[0]?.id]);
    next.happens("h-2");
    await next.run(next.on.now);
    expect(next.taken.map(({ seq }) => seq)).toEqual([lost.tried[0]?.seq, (lost.tried[0]?.seq ?? 0) + 1]);
  });
});

test("an endpoint that is deleted gets nothing more, and a tenant has twenty at most", async () => {
  await withReceivers(async (receivers) => {
    receivers.answer = () => new Response(null, { status: 500 });
    const id = await receivers.add("https://hooks.example.com/");
    receivers.happens("h-1");
    await receivers.run(receivers.on.now);
    expect(await receivers.desk.remove("globex", id)).toBe(false);
    expect(await receivers.desk.remove("acme", id)).toBe(true);
    await receivers.run(receivers.on.now + 100 * HOUR);
    expect(receivers.tried).toHaveLength(1);
    expect(receivers.desk.page("acme", id, null, 9)).toBeNull();
    for (let n = 0; n < 20; n += 1) await receivers.add(`https://hooks.example.com/${n}`);
    const more = {
      tenant: "acme",
      project_id: "p-1",
      url: "https://hooks.example.com/",
      types: null,
    };
    expect(await receivers.desk.create(more)).toEqual({ outcome: "many" });
  });
});
