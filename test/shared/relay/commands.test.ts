import { describe, expect, it } from "vitest";
import { DrivenClient } from "./driven-client.ts";

describe("a command", () => {
  it("goes out flat, as one JSON-RPC request under a UUID of its own, with its handle beside the frame", () => {
    const driven = new DrivenClient().ready();
    const [effect] = driven.command("mine", "call-1", { method: "calling.answer" });
    expect(effect).toMatchObject({ do: "send", generation: 1, command: "mine" });
    const frame = driven.last("calling.answer");
    expect(frame).toMatchObject({ jsonrpc: "2.0", params: { call_id: "call-1", node_id: "a-node" } });
    expect(frame.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(JSON.stringify(frame.params)).not.toContain("mine");
  });

  it("ends by what its answer says, and nothing without a 2xx is a success", () => {
    const driven = new DrivenClient().ready();
    const answers: [unknown, unknown][] = [
      [
        { code: "200", message: "Joining conference", conference_id: "c" },
        {
          kind: "ok",
          code: "200",
          result: { code: "200", message: "Joining conference", conference_id: "c" },
        },
      ],
      [
        { code: "404", message: "no call" },
        { kind: "gone", code: "404", message: "no call" },
      ],
      [{ code: "410" }, { kind: "gone", code: "410", message: "" }],
      [
        { code: "409", message: "taken" },
        { kind: "conflict", message: "taken" },
      ],
      [
        { code: "500", message: "oops" },
        { kind: "failed", code: "500", message: "oops" },
      ],
      [{}, { kind: "failed", code: "", message: "The result has no code." }],
      ["fine", { kind: "failed", code: "", message: "The result has no code." }],
    ];
    for (const [i, [result, outcome]] of answers.entries()) {
      driven.command(`c${i}`);
      expect(driven.answers(`c${i}`, result)).toEqual([{ do: "settle", command: `c${i}`, outcome }]);
    }
  });

  it("ends as an error where JSON-RPC says so", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    const id = driven.last("calling.join_conference").id;
    const effects = driven.hears({ id, error: { code: -32602, message: "bad beep" } });
    const outcome = { kind: "error", code: -32602, message: "bad beep" };
    expect(effects).toEqual([{ do: "settle", command: "a", outcome }]);
  });

  it("is unanswered at its deadline; the answer that comes late is counted and changes nothing", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.pass(1_999);
    expect(driven.settled()).toEqual([]);
    driven.pass(1);
    expect(driven.settled()).toEqual(["a: unanswered"]);
    expect(driven.answers("a")).toEqual([{ do: "count", what: "unknown_answer" }]);
    expect(driven.client.state).toBe("ready");
  });

  it("is refused at once without a connection that is wanted", () => {
    const driven = new DrivenClient();
    driven.command("a");
    expect(driven.settled()).toEqual(["a: unsent not_connected"]);
  });

  it("whose time is over already is not sent", () => {
    const driven = new DrivenClient().ready();
    driven.command("a", "a", { deadline_at: driven.now });
    driven.command("b", "b", { deadline_at: Number.NaN });
    driven.command("c", "c", { must_send_by: driven.now - 1 });
    expect(driven.settled()).toEqual(["a: unsent deadline", "b: unsent deadline", "c: unsent deadline"]);
    expect(driven.frames().filter((frame) => frame.command)).toEqual([]);
  });

  it("with a handle that is in use is ignored and counted, so that the first keeps its one outcome", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.command("a");
    expect(driven.counts("duplicate_command")).toBe(1);
    driven.answers("a");
    expect(driven.settled()).toEqual(["a: ok"]);
  });
});

describe("while there is no connection", () => {
  it("a command waits, and goes out once there is one", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.command("a");
    expect(driven.client.queued).toBe(1);
    driven.login();
    expect(driven.frames().filter((frame) => frame.command)).toMatchObject([{ command: "a", generation: 1 }]);
  });

  it("a command is never sent after its deadline, however the connection returns", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.command("a");
    // The tick that was due is late: the socket's news come first.
    driven.now += 2_000;
    driven.login();
    expect(driven.settled()).toEqual(["a: unsent deadline"]);
    expect(driven.frames().filter((frame) => frame.command)).toEqual([]);
  });

  it("a command that must be sent by a time is handed back then, so that its caller has time left", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.command("a", "a", { must_send_by: driven.now + 500 });
    driven.pass(500);
    expect(driven.settled()).toEqual(["a: unsent deadline"]);
  });

  it("a command once sent is not bound by the time to be sent by, only by its deadline", () => {
    const driven = new DrivenClient().ready();
    driven.command("a", "a", { must_send_by: driven.now + 500 });
    driven.pass(1_999);
    expect(driven.settled()).toEqual([]);
    driven.answers("a");
    expect(driven.settled()).toEqual(["a: ok"]);
  });

  it("what was sent is unanswered and not sent again; what was not waits for the next socket", () => {
    const driven = new DrivenClient().ready();
    driven.command("sent", "call");
    driven.command("waiting", "call");
    driven.socket("closed");
    expect(driven.settled()).toEqual(["sent: unanswered"]);
    driven.pass(250);
    driven.login();
    const carried = driven.frames().filter((frame) => frame.command);
    expect(carried).toMatchObject([
      { command: "sent", generation: 1 },
      { command: "waiting", generation: 2 },
    ]);
  });
});

describe("lanes", () => {
  it("go one command at a time and in order, beside each other", () => {
    const driven = new DrivenClient().ready();
    driven.command("a1", "a");
    driven.command("a2", "a");
    driven.command("a3", "a");
    driven.command("b1", "b");
    const carried = (): unknown[] => driven.frames().flatMap((frame) => frame.command ?? []);
    expect(carried()).toEqual(["a1", "b1"]);
    driven.answers("a1", { code: "500" });
    expect(carried()).toEqual(["a1", "b1", "a2"]);
    driven.answers("b1");
    driven.answers("a2");
    expect(carried()).toEqual(["a1", "b1", "a2", "a3"]);
  });

  it("go on after a command that is never answered", () => {
    const driven = new DrivenClient().ready();
    driven.command("slow", "a");
    driven.command("next", "a", { deadline_at: driven.now + 5_000 });
    driven.pass(2_000);
    expect(driven.frames().at(-1)).toMatchObject({ command: "next" });
  });

  it("are not held up by a command that expires in the middle of one", () => {
    const driven = new DrivenClient().ready();
    driven.command("first", "a", { deadline_at: driven.now + 5_000 });
    driven.command("brief", "a", { deadline_at: driven.now + 100 });
    driven.command("last", "a", { deadline_at: driven.now + 5_000 });
    driven.pass(100);
    expect(driven.settled()).toEqual(["brief: unsent deadline"]);
    driven.answers("first");
    expect(driven.frames().at(-1)).toMatchObject({ command: "last" });
  });
});

describe("bounds", () => {
  it("on what is queued refuse the command beyond at once", () => {
    const driven = new DrivenClient({ limits: { max_queued: 2 } });
    driven.do({ on: "open" });
    for (const id of ["a", "b", "c"]) driven.command(id);
    expect(driven.settled()).toEqual(["c: unsent queue_full"]);
    expect(driven.client.queued).toBe(2);
  });

  it("on what is in flight hold the rest in the queue until there is room", () => {
    const driven = new DrivenClient({ limits: { max_in_flight: 2, max_queued: 1 } }).ready();
    for (const id of ["a", "b", "c", "d"]) driven.command(id);
    expect([driven.client.inFlight, driven.client.queued]).toEqual([2, 1]);
    expect(driven.settled()).toEqual(["d: unsent queue_full"]);
    driven.answers("a");
    expect([driven.client.inFlight, driven.client.queued]).toEqual([2, 0]);
  });

  it("are 500 and 500 unless said otherwise", () => {
    const driven = new DrivenClient().ready();
    for (let i = 0; i < 1_001; i++) driven.command(`c${i}`);
    expect([driven.client.inFlight, driven.client.queued]).toEqual([500, 500]);
    expect(driven.settled()).toEqual(["c1000: unsent queue_full"]);
  });
});
