import { describe, expect, it } from "vitest";
import { DrivenClient } from "./driven-client.ts";

const join = {
  event_type: "calling.conference",
  timestamp: 1_640_000_000.123,
  params: { status: "participant-join", conference_id: "conf", call_id: "call" },
};

describe("an event", () => {
  it("is one effect that carries its ack, which no other effect does", () => {
    const driven = new DrivenClient().ready();
    const effects = driven.hears({ id: "e1", method: "signalwire.event", params: join });
    expect(effects).toEqual([
      {
        do: "event",
        generation: 1,
        ack: '{"jsonrpc":"2.0","id":"e1","result":{}}',
        event: {
          kind: "conference",
          event_type: "calling.conference",
          timestamp: 1_640_000_000.123,
          params: { status: "participant-join", conference_id: "conf", call_id: "call" },
        },
      },
    ]);
  });

  it("that comes twice is told twice, since each frame wants its ack", () => {
    const driven = new DrivenClient().ready();
    for (const id of ["e1", "e1", "e2"]) driven.hears({ id, method: "signalwire.event", params: join });
    expect(driven.effects.filter((effect) => effect.do === "event")).toHaveLength(3);
  });

  it("without an id is told, and wants no ack", () => {
    const driven = new DrivenClient().ready();
    const effects = driven.hears({ method: "signalwire.event", params: join });
    expect(effects).toMatchObject([{ do: "event", ack: null }]);
  });

  it("under a numeric id is acked under that very id", () => {
    const driven = new DrivenClient().ready();
    const [effect] = driven.hears({ id: 7, method: "signalwire.event", params: join });
    expect(effect).toMatchObject({ ack: '{"jsonrpc":"2.0","id":7,"result":{}}' });
  });

  it("is told before authentication is answered, and while draining", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.socket("opened");
    expect(driven.hears({ id: "e1", method: "signalwire.event", params: join })).toHaveLength(1);
    driven.login();
    driven.command("a");
    driven.do({ on: "close" });
    expect(driven.client.state).toBe("draining");
    expect(driven.hears({ id: "e2", method: "signalwire.event", params: join })).toHaveLength(1);
  });

  it("of authorization is told apart, so that the secret goes nowhere else", () => {
    const driven = new DrivenClient().ready();
    const params = { event_type: "signalwire.authorization.state", params: { authorization_state: "blob" } };
    expect(driven.hears({ id: "e1", method: "signalwire.event", params })).toEqual([
      {
        do: "authorization_state",
        value: "blob",
        generation: 1,
        ack: '{"jsonrpc":"2.0","id":"e1","result":{}}',
      },
    ]);
  });

  it("that is none is answered with -32602", () => {
    const driven = new DrivenClient().ready();
    for (const params of [undefined, null, [], "x", {}, { event_type: 7 }]) {
      const effects = driven.hears({ id: "e1", method: "signalwire.event", params });
      expect(driven.frames(effects)).toMatchObject([{ id: "e1", error: { code: -32602 } }]);
    }
    expect(driven.counts("bad_request")).toBe(6);
  });

  it("with an empty type, or one that is too long to keep, is acked, counted, and told to nobody", () => {
    const driven = new DrivenClient().ready();
    for (const event_type of ["", "x".repeat(201)]) {
      const effects = driven.hears({ id: "e1", method: "signalwire.event", params: { event_type } });
      expect(driven.frames(effects)).toEqual([{ jsonrpc: "2.0", id: "e1", result: {}, generation: 1 }]);
      expect(effects.map((effect) => effect.do)).toEqual(["send", "count"]);
    }
    expect(driven.counts("malformed_event")).toBe(2);
  });

  it("of a known type that can't be read is acked all the same, and counted", () => {
    const driven = new DrivenClient().ready();
    const params = { event_type: "calling.conference", params: { size: 3 } };
    const effects = driven.hears({ id: "e1", method: "signalwire.event", params });
    expect(effects).toMatchObject([
      {
        do: "event",
        ack: '{"jsonrpc":"2.0","id":"e1","result":{}}',
        event: { kind: "other", params: { size: 3 } },
      },
      { do: "count", what: "malformed_event" },
    ]);
  });
});

describe("a ping", () => {
  it("is answered", () => {
    const driven = new DrivenClient().ready();
    const effects = driven.hears({ id: "p1", method: "signalwire.ping", params: {} });
    expect(driven.frames(effects)).toEqual([{ jsonrpc: "2.0", id: "p1", result: {}, generation: 1 }]);
  });
});

describe("signalwire.disconnect", () => {
  it("is answered, and the next socket resumes at once", () => {
    const driven = new DrivenClient().ready();
    const effects = driven.hears({ id: "d1", method: "signalwire.disconnect", params: {} });
    expect(driven.frames(effects)).toMatchObject([{ id: "d1", result: {}, generation: 1 }]);
    const order = effects.map((effect) => effect.do).filter((what) => what !== "state");
    expect(order).toEqual(["send", "disconnect", "connect"]);
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).toHaveProperty("protocol", "signalwire_one");
  });

  it("with restart forgets the session first", () => {
    const driven = new DrivenClient({}, { protocol: "signalwire_one", authorization_state: "blob" }).ready();
    const effects = driven.hears({ id: "d1", method: "signalwire.disconnect", params: { restart: true } });
    expect(effects).toContainEqual({ do: "forget_session" });
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("protocol");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("authorization_state");
  });

  it("leaves half a second for answers that are on their way, while what comes waits for the next socket", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.command("b");
    driven.hears({ id: "d1", method: "signalwire.disconnect" });
    expect(driven.client.state).toBe("draining");
    driven.command("c");
    driven.answers("a");
    driven.pass(500);
    expect(driven.settled()).toEqual(["a: ok", "b: unanswered"]);
    driven.login();
    expect(driven.frames().filter((frame) => frame.command === "c")).toMatchObject([{ generation: 2 }]);
  });

  it("said again and again right after the login meets the back-off", () => {
    const driven = new DrivenClient().ready();
    for (let i = 0; i < 5; i++) {
      driven.hears({ id: `d${i}`, method: "signalwire.disconnect" });
      if (driven.client.state === "backing_off") break;
      driven.login();
    }
    expect(driven.client.state).toBe("backing_off");
  });

  it("said twice does not put the farewell off", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.hears({ id: "d1", method: "signalwire.disconnect" });
    driven.pass(400);
    expect(driven.frames(driven.hears({ id: "d2", method: "signalwire.disconnect" }))).toHaveLength(1);
    driven.pass(100);
    expect(driven.generation).toBe(2);
  });

  it("is not undone by a wish for a connection, which the next socket is there for", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.hears({ id: "d1", method: "signalwire.disconnect" });
    driven.do({ on: "open" });
    expect(driven.client.state).toBe("draining");
  });

  it("said while closing down leads to idle", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.do({ on: "close" });
    driven.hears({ id: "d1", method: "signalwire.disconnect" });
    driven.answers("a");
    expect(driven.client.state).toBe("idle");
    expect(driven.connects).toBe(1);
  });
});

describe("what makes no sense", () => {
  it("is counted by what is wrong with it, and survived", () => {
    const driven = new DrivenClient({ limits: { frame_bytes: 1_000 } }).ready();
    driven.hears("nonsense");
    driven.hears("[]");
    driven.hears("{}");
    driven.hears("x".repeat(1_001));
    driven.do({ on: "message", generation: 1, data: { binary: 5 } });
    const details = driven.effects.flatMap((effect) => (effect.do === "count" ? [effect.detail] : []));
    expect(details).toEqual(["not JSON", "not JSON-RPC", "not JSON-RPC", "too large", "binary"]);
    expect(driven.counts("junk_frame")).toBe(5);
    expect(driven.client.state).toBe("ready");
  });

  it("of an unknown method is answered with -32601, without an echo of odd names", () => {
    const driven = new DrivenClient().ready();
    const known = driven.hears({ id: "q1", method: "signalwire.dance" });
    expect(driven.frames(known)).toMatchObject([{ id: "q1", error: { code: -32601 } }]);
    const odd = driven.hears({ id: "q2", method: "\u001b[31m\n" });
    expect(JSON.stringify(odd)).not.toContain("[31m");
    expect(driven.counts("unknown_request")).toBe(2);
  });

  it("answers nothing that was asked, and is counted", () => {
    const driven = new DrivenClient().ready();
    driven.hears({ id: "never", result: { code: "200" } });
    driven.hears({ id: null, error: { code: -32700, message: "Parse error" } });
    driven.hears({ id: 7, result: {} });
    expect(driven.counts("unknown_answer")).toBe(3);
  });

  it("comes before the socket is open, and is ignored", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    expect(driven.hears({ id: "p1", method: "signalwire.ping" })).toEqual([
      { do: "count", what: "early_frame" },
    ]);
  });
});
