import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { copyKey } from "../../../../functions/recording-copy.ts";
import { RecordingCopier } from "../../../../functions/session/reconcile/copy-recordings.ts";
import type { Recording } from "../../../../functions/session/store/recordings.ts";
import type { Project } from "../../../../functions/tenants/tenant.ts";
import { toHex } from "../../../../shared/encoding.ts";
import { Ledger, onStorage } from "../ledger.ts";
import { SqlRecording } from "../sql-recording.ts";

const START = 1_800_000_000_000;
const MINUTE = 60_000;
const project = {
  project_id: "p-1",
  token: "made-up-token",
  rest_url: "https://example.signalwire.com",
} as Project; // What it needs of it.
const bucket = env.RECORDINGS as R2Bucket; // The tests' Worker has one.

/** What SignalWire has of each recording; null: it fails. */
let sounds: Map<string, Uint8Array | null>;
let fetched: string[];

beforeEach(() => {
  sounds = new Map();
  fetched = [];
  vi.stubGlobal("fetch", async (input: RequestInfo) => {
    const sid = new Request(input).url.split("/").at(-1) ?? "";
    fetched.push(sid);
    const sound = sounds.get(sid);
    if (!sound) return new Response("no", { status: 503 });
    return new Response(sound, { headers: { "content-type": "audio/x-wav" } });
  });
  for (const level of ["info", "error", "log"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A session's recordings, a bucket, and a clock that the test sets. */
class Scene {
  now = START;
  readonly ledger: Ledger;
  copier: RecordingCopier;
  #isGone = false;

  constructor(sql: SqlStorage, more: Partial<ConstructorParameters<typeof RecordingCopier>[0]> = {}) {
    this.ledger = new Ledger(
      sql,
      () => this.now,
      async () => new Set(),
    );
    this.copier = new RecordingCopier({
      ...this.ledger,
      bucket,
      project: async () => project,
      run: async (_, request) => await request(),
      now: () => this.now,
      ...more,
    });
    this.ledger.recordingCopies.begin(() => {});
  }

  /** A recording that is over, of which SignalWire has the sound. */
  completed(sid: string, sound: Uint8Array | null): Recording {
    sounds.set(sid, sound);
    const row = this.ledger.recordings.add({
      tenant: "acme",
      room: "acme:board",
      state: "in-progress",
      started_at: this.now,
      sid,
    });
    if (!row) throw new Error("there is room");
    this.ledger.recordings.update(row, { state: "completed", ended_at: this.now });
    return row;
  }

  /** What is due by then, each at its time. */
  async run(until: number): Promise<void> {
    for (let due = this.#due(); due !== null && due <= until; due = this.#due()) {
      this.now = Math.max(this.now, due);
      await this.copier.run();
    }
    this.now = Math.max(this.now, until);
  }

  #due(): number | null {
    return this.#isGone ? null : this.ledger.recordingCopies.nextDue();
  }

  shown({ id }: Recording) {
    return this.ledger.recordings.page("acme", { limit: 10 }).recordings.find((one) => one.id === id)?.copy;
  }
}

async function stored({ id }: Recording): Promise<Uint8Array | null> {
  const object = await bucket.get(copyKey("p-1", "acme", id));
  return object && new Uint8Array(await object.arrayBuffer());
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

test.each([
  ["a short", 1_000],
  ["an empty", 0],
  ["one of exactly one part", 8 * 2 ** 20],
  ["a long", 20 * 2 ** 20 + 7],
])(
  "%s recording is in the bucket whole, with its SHA-256 in the list, and is fetched once",
  async (_, size) => {
    await onStorage("copies-made", async ({ sql }) => {
      const scene = new Scene(sql);
      const sound = new Uint8Array(size).map((__, at) => at % 251);
      const row = scene.completed("RE1", sound);
      expect(scene.shown(row)).toBeNull();
      await scene.run(START + MINUTE);
      expect(await sha256((await stored(row)) ?? new Uint8Array([1]))).toBe(await sha256(sound));
      expect(scene.shown(row)).toEqual({
        sha256: await sha256(sound),
        size_bytes: size,
        copied_at: START + 10_000,
      });
      // What is told of it later is no reason to copy it again.
      scene.ledger.recordings.update(row, { url: "https://files.signalwire.com/RE1.wav", duration_s: 3 });
      await scene.run(START + 200 * MINUTE);
      expect(fetched).toHaveLength(1);
    });
  },
);

test("a copy that fails is tried again for a day, and each other one meanwhile", async () => {
  await onStorage("copies-again", async ({ sql }) => {
    const scene = new Scene(sql);
    const failing = scene.completed("RE1", null);
    const other = scene.completed("RE2", new Uint8Array([1]));
    await scene.run(START + MINUTE);
    expect([scene.shown(failing), scene.shown(other)]).toMatchObject([null, { size_bytes: 1 }]);
    sounds.set("RE1", new Uint8Array([2]));
    await scene.run(START + 10 * MINUTE);
    expect(await stored(failing)).toEqual(new Uint8Array([2]));
    const lost = scene.completed("RE3", null);
    await scene.run(START + 3 * 24 * 60 * MINUTE);
    expect(fetched.filter((sid) => sid === "RE3")).toHaveLength(7);
    expect(scene.shown(lost)).toBeNull();
    expect(scene.ledger.recordingCopies.nextDue()).toBeNull();
  });
});

test("what the object was lost over is copied by the next, once", async () => {
  await onStorage("copies-lost", async ({ sql }) => {
    const scene = new Scene(sql, { run: () => new Promise(() => {}) });
    const row = scene.completed("RE1", new Uint8Array([7]));
    scene.now += MINUTE;
    void scene.copier.run();
    const next = new Scene(sql);
    next.now = scene.now;
    await next.run(next.now + 5 * MINUTE);
    expect(fetched).toEqual([]);
    // Only after that is the first one given up for lost.
    await next.run(next.now + 20 * MINUTE);
    expect(await stored(row)).toEqual(new Uint8Array([7]));
    expect(fetched).toEqual(["RE1"]);
  });
});

test("the copy goes with its recording: by hand, by age, and one that is being made meanwhile", async () => {
  await onStorage("copies-deleted", async ({ sql }) => {
    let whileCopied = () => {};
    const scene = new Scene(sql, {
      run: async (_, request) => {
        const done = await request();
        whileCopied();
        return done;
      },
    });
    const byHand = scene.completed("RE1", new Uint8Array([1]));
    await scene.run(START + MINUTE);
    scene.ledger.recordings.drop(byHand);
    await scene.run(START + MINUTE);
    expect(await stored(byHand)).toBeNull();
    const byAge = scene.completed("RE2", new Uint8Array([2]));
    await scene.run(START + 2 * MINUTE);
    expect(await stored(byAge)).not.toBeNull();
    scene.now += 10 * MINUTE;
    expect(scene.ledger.recordings.forget(5 * MINUTE, 100)).toBe(1);
    await scene.run(scene.now);
    expect(await stored(byAge)).toBeNull();
    const meanwhile = scene.completed("RE3", new Uint8Array([3]));
    whileCopied = () => {
      whileCopied = () => {};
      scene.ledger.recordings.drop(meanwhile);
    };
    await scene.run(scene.now + MINUTE);
    expect(await stored(meanwhile)).toBeNull();
    expect(sql.exec("SELECT * FROM recording_copies").toArray()).toEqual([]);
  });
});

test("a deletion that fails is tried again until it is done", async () => {
  await onStorage("copies-kept", async ({ sql }) => {
    let isUp = true;
    const failing = {
      ...{ put: bucket.put.bind(bucket), createMultipartUpload: bucket.createMultipartUpload.bind(bucket) },
      delete: async (key: string | string[]) => {
        if (!isUp) throw new Error("the bucket is down");
        await bucket.delete(key);
      },
    };
    const scene = new Scene(sql, { bucket: failing });
    const row = scene.completed("RE1", new Uint8Array([1]));
    await scene.run(START + MINUTE);
    isUp = false;
    scene.ledger.recordings.drop(row);
    await scene.run(START + 3 * 24 * 60 * MINUTE);
    expect(await stored(row)).not.toBeNull();
    isUp = true;
    await scene.run(scene.now + 61 * MINUTE);
    expect(await stored(row)).toBeNull();
  });
});

test("without a bucket nothing is written or read for it, but once", async () => {
  await onStorage("copies-none", async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => START,
      async () => new Set(),
    );
    const recording = new SqlRecording(sql);
    for (const sid of ["RE1", "RE2"]) {
      const row = ledger.recordings.add({
        tenant: "acme",
        room: "acme:board",
        state: "completed",
        started_at: START,
        sid,
      });
      if (row) ledger.recordings.drop(row);
    }
    expect(recording.statements.filter((statement) => statement.includes("recording_copies"))).toHaveLength(
      1,
    );
  });
});
