import { describe, expect, it } from "vitest";
import { DrivenClient, SETTINGS } from "./driven-client.ts";

describe("opening", () => {
  it("connects at once and authenticates when the socket is open", () => {
    const driven = new DrivenClient();
    expect(driven.do({ on: "open" })).toContainEqual({ do: "connect", generation: 1 });
    expect(driven.client.state).toBe("connecting");
    driven.socket("opened");
    expect(driven.client.state).toBe("authenticating");
    expect(driven.login()).toContainEqual({ do: "session", protocol: "signalwire_one", restored: false });
    expect(driven.client.state).toBe("ready");
    expect(driven.client.since).toBe(driven.now);
  });

  it("sends signalwire.connect with exactly what the protocol asks for", () => {
    const driven = new DrivenClient().ready();
    expect(driven.last("signalwire.connect").params).toEqual({
      version: { major: 2, minor: 0, revision: 0 },
      agent: "partyline/test",
      event_acks: true,
      authentication: { project: SETTINGS.project, token: SETTINGS.token },
    });
  });

  it("names its contexts where it has some", () => {
    const driven = new DrivenClient({ contexts: ["support"] }).ready();
    expect(driven.last("signalwire.connect").params).toHaveProperty("contexts", ["support"]);
  });

  it("resumes a session that an earlier life left behind", () => {
    const driven = new DrivenClient({}, { protocol: "signalwire_old", authorization_state: "blob" });
    driven.do({ on: "open" });
    const effects = driven.login("signalwire_old");
    expect(driven.last("signalwire.connect").params).toMatchObject({
      protocol: "signalwire_old",
      authorization_state: "blob",
    });
    expect(effects).toContainEqual({ do: "session", protocol: "signalwire_old", restored: true });
  });

  it("takes the server's word on whether the session was restored", () => {
    const driven = new DrivenClient({}, { protocol: "signalwire_old" });
    driven.do({ on: "open" });
    driven.socket("opened");
    const id = driven.last("signalwire.connect").id;
    const effects = driven.hears({ id, result: { protocol: "signalwire_old", session_restored: false } });
    expect(effects).toContainEqual({ do: "session", protocol: "signalwire_old", restored: false });
  });

  it("resumes after a lost socket, with the protocol and the last authorization_state", () => {
    const driven = new DrivenClient().ready();
    driven.hears({
      id: "e1",
      method: "signalwire.event",
      params: { event_type: "signalwire.authorization.state", params: { authorization_state: "blob" } },
    });
    driven.pass(15_000);
    driven.hears({ id: "p1", method: "signalwire.ping" });
    driven.socket("closed");
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).toMatchObject({
      protocol: "signalwire_one",
      authorization_state: "blob",
    });
  });

  it("opens once however often it is asked to", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.do({ on: "open" });
    driven.login();
    driven.do({ on: "open" });
    expect(driven.connects).toBe(1);
  });
});

describe("a socket that fails", () => {
  it("is torn down once, whether it closes, errs, or does both, twice", () => {
    for (const ends of [
      ["closed"],
      ["failed"],
      ["failed", "closed"],
      ["closed", "failed", "closed"],
    ] as const) {
      const driven = new DrivenClient().ready();
      driven.command("a");
      for (const end of ends) driven.socket(end, 1);
      expect(driven.settled()).toEqual(["a: unanswered"]);
      expect(driven.connects + (driven.client.state === "backing_off" ? 1 : 0)).toBe(2);
    }
  });

  it("is let go of where it erred, since no close may follow", () => {
    const driven = new DrivenClient().ready();
    expect(driven.socket("failed")).toContainEqual({ do: "disconnect", generation: 1, code: 1000 });
  });

  it("is given up after 10 s of a hanging handshake", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    expect(driven.pass(9_999)).toEqual([]);
    expect(driven.pass(1)).toContainEqual({ do: "disconnect", generation: 1, code: 4000 });
    expect(driven.client.state).toBe("backing_off");
  });

  it("is given up after 10 s of a hanging authentication", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.socket("opened");
    driven.pass(9_999);
    expect(driven.client.state).toBe("authenticating");
    expect(driven.pass(1)).toContainEqual({ do: "disconnect", generation: 1, code: 4000 });
  });

  it("says nothing any more once another has taken its place", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.pass(10_000);
    driven.pass(250);
    expect(driven.generation).toBe(2);
    for (const on of ["opened", "closed", "failed"] as const) expect(driven.socket(on, 1)).toEqual([]);
    expect(driven.hears({ id: "x", method: "signalwire.ping" }, 1)).toEqual([]);
  });

  it("is replaced at once where it was steady", () => {
    const driven = new DrivenClient().ready();
    driven.pass(9_999);
    driven.hears({ id: "p", method: "signalwire.ping" });
    driven.pass(1);
    expect(driven.socket("closed")).toContainEqual({ do: "connect", generation: 2 });
  });

  it("meets a back-off that grows to 30 s where the server keeps failing, and starts over once it is steady", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      driven.socket("failed");
      waits.push(Math.round(((driven.client.wakeAt ?? 0) - driven.now) / 10) * 10);
      driven.pass((driven.client.wakeAt ?? 0) - driven.now);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    driven.login();
    driven.pass(9_999);
    driven.hears({ id: "p", method: "signalwire.ping" });
    driven.pass(1);
    driven.socket("closed");
    expect(driven.client.state).toBe("connecting");
  });

  it("waits no longer than a second for a server that takes us each time and drops us again", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 10; i++) {
      driven.login();
      driven.socket("closed");
      expect((driven.client.wakeAt ?? 0) - driven.now).toBeLessThanOrEqual(1_000);
      driven.pass((driven.client.wakeAt ?? 0) - driven.now);
    }
  });

  it("is replaced at once when someone asks, in the middle of a back-off too", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.socket("failed");
    expect(driven.client.state).toBe("backing_off");
    expect(driven.do({ on: "reconnect" })).toContainEqual({ do: "connect", generation: 2 });
  });
});

describe("refused credentials", () => {
  it("are tried three times, then every 5 minutes, and nothing about them holds the token", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 3; i++) {
      driven.refuse();
      driven.pass(1_000);
    }
    expect(driven.client.state).toBe("refused");
    expect(driven.connects).toBe(3);
    driven.pass(298_000);
    expect(driven.connects).toBe(3);
    driven.pass(1_000);
    expect(driven.connects).toBe(4);
    driven.refuse();
    expect(driven.client.state).toBe("refused");
    const told = driven.effects.filter((effect) => effect.do !== "send");
    expect(JSON.stringify(told)).not.toContain(SETTINGS.token);
    expect(JSON.stringify(told)).toContain("AUTH_REQUIRED");
  });

  it("end what is queued, and refuse what comes, without a wait", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.command("early", "a", { deadline_at: driven.now + 60_000 });
    for (let i = 0; i < 3; i++) {
      driven.refuse();
      driven.pass(1_000);
    }
    driven.command("late");
    expect(driven.settled()).toEqual(["early: unsent refused", "late: unsent refused"]);
    driven.pass(300_000);
    expect(driven.client.state).toBe("connecting");
    driven.command("during a retry");
    expect(driven.settled()).toContain("during a retry: unsent refused");
  });

  it("that were refused now and then, and accepted in between, are not refused for good", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 5; i++) {
      driven.refuse();
      driven.pass((driven.client.wakeAt ?? 0) - driven.now);
      // What a refused resumption leads to is a plain try.
      driven.login();
      expect(driven.client.state).toBe("ready");
      driven.hears({ id: "d1", method: "signalwire.disconnect", params: { restart: true } });
      if (driven.client.state === "backing_off") driven.pass((driven.client.wakeAt ?? 0) - driven.now);
    }
    expect(driven.client.state).not.toBe("refused");
  });

  it("are forgotten when the project's record changes: the new ones are tried at once", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 3; i++) {
      driven.refuse();
      driven.pass(1_000);
    }
    driven.do({ on: "credentials", settings: { ...SETTINGS, token: "PT-another" } });
    expect(driven.client.state).toBe("connecting");
    driven.login();
    expect(driven.last("signalwire.connect").params).toHaveProperty("authentication.token", "PT-another");
    driven.command("a");
    expect(driven.client.inFlight).toBe(1);
  });

  it("that are replaced while they are being tried count for nothing when they are refused", () => {
    const driven = new DrivenClient({ limits: { refusals: 1 } });
    driven.do({ on: "open" });
    driven.socket("opened");
    driven.do({ on: "credentials", settings: { ...SETTINGS, token: "PT-another" } });
    driven.hears({ id: driven.last("signalwire.connect").id, error: { code: -32401, message: "no" } });
    expect(driven.client.state).toBe("connecting");
    driven.login();
    expect(driven.client.state).toBe("ready");
  });

  it("of another project do not resume the old one's session", () => {
    const driven = new DrivenClient().ready();
    const project = "c3d4e5f6-a7b8-4012-8def-234567890123";
    const effects = driven.do({ on: "credentials", settings: { ...SETTINGS, project } });
    expect(effects).toEqual([{ do: "forget_session" }]);
    driven.socket("closed");
    driven.pass(250);
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("protocol");
    expect(driven.last("signalwire.connect").params).toHaveProperty("authentication.project", project);
  });

  it("stay refused where the connection is dropped and wanted again before the 5 minutes are over", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 3; i++) {
      driven.refuse();
      driven.pass(1_000);
    }
    driven.do({ on: "close" });
    expect(driven.client.state).toBe("idle");
    driven.do({ on: "open" });
    expect(driven.client.state).toBe("refused");
    driven.pass(300_000);
    expect(driven.connects).toBe(4);
  });

  it("are not what a refused session speaks of: it is forgotten, and the next try at once is a plain one", () => {
    const driven = new DrivenClient({}, { protocol: "signalwire_old", authorization_state: "blob" });
    driven.do({ on: "open" });
    const effects = driven.refuse();
    expect(effects).toContainEqual({ do: "forget_session" });
    expect(effects).toContainEqual({ do: "connect", generation: 2 });
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("protocol");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("authorization_state");
    for (let i = 0; i < 3; i++) {
      expect(driven.client.state).not.toBe("refused");
      driven.refuse();
      driven.pass(1_000);
    }
    expect(driven.client.state).toBe("refused");
  });

  it("are not what a server in trouble speaks of: it is tried again and again", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (const code of [-32603, -32408, -32500, -32503, -32429]) {
      driven.refuse(code);
      expect(driven.client.state).toBe("backing_off");
      driven.pass(30_000);
    }
    expect(driven.counts("credentials_refused")).toBe(0);
  });
});

describe("a connect that is refused without a word about the credentials", () => {
  function refused(code: number): DrivenClient {
    const driven = new DrivenClient({ contexts: ["office"] });
    driven.do({ on: "open" });
    for (let i = 0; i < 3; i++) {
      expect(driven.client.state).not.toBe("refused");
      driven.refuse(code);
      driven.pass(1_000);
    }
    return driven;
  }

  it.each([-32000, -32602, -32403])(
    "by error %i three times makes the client refused, and is tried every 60 s",
    (code) => {
      const driven = refused(code);
      expect(driven.client.state).toBe("refused");
      driven.pass(58_000);
      expect(driven.connects).toBe(3);
      for (let tries = 4; tries < 7; tries++) {
        driven.pass(1_000);
        expect(driven.connects).toBe(tries);
        driven.refuse(code);
        expect(driven.client.state).toBe("refused");
        driven.pass(59_000);
      }
      driven.pass(1_000);
      driven.login();
      expect(driven.client.state).toBe("ready");
      expect(driven.counts("credentials_refused")).toBe(0);
    },
  );

  it("now and then, and accepted in between, is not refused for good", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    for (let i = 0; i < 5; i++) {
      driven.refuse(-32000);
      driven.pass((driven.client.wakeAt ?? 0) - driven.now);
      driven.login();
      expect(driven.client.state).toBe("ready");
      driven.hears({ id: "d1", method: "signalwire.disconnect", params: { restart: true } });
      if (driven.client.state === "backing_off") driven.pass((driven.client.wakeAt ?? 0) - driven.now);
    }
    expect(driven.client.state).not.toBe("refused");
  });

  it("may be the old session's fault: that is forgotten, and the next try at once is a plain one", () => {
    const driven = new DrivenClient({}, { protocol: "signalwire_old" });
    driven.do({ on: "open" });
    expect(driven.refuse(-32000)).toContainEqual({ do: "forget_session" });
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).not.toHaveProperty("protocol");
  });

  it("is tried every 5 minutes once it is the credentials that are refused", () => {
    const driven = refused(-32000);
    driven.pass(59_000);
    driven.refuse();
    driven.pass(299_000);
    expect(driven.connects).toBe(4);
    driven.pass(1_000);
    expect(driven.connects).toBe(5);
  });
});

it("gives up a session whose resumption breaks off three times, so that a bad one cannot keep us out", () => {
  const driven = new DrivenClient({}, { protocol: "signalwire_old" });
  driven.do({ on: "open" });
  for (let i = 0; i < 3; i++) {
    driven.socket("opened");
    expect(driven.last("signalwire.connect").params).toHaveProperty("protocol");
    driven.socket("closed");
    driven.pass(2_000);
  }
  driven.socket("opened");
  expect(driven.last("signalwire.connect").params).not.toHaveProperty("protocol");
});

describe("closing", () => {
  it("waits for what is in flight, sends nothing more, and is idle then", () => {
    const driven = new DrivenClient().ready();
    driven.command("first", "call");
    driven.command("second", "call");
    driven.do({ on: "close" });
    expect(driven.client.state).toBe("draining");
    expect(driven.settled()).toEqual(["second: unsent closed"]);
    driven.command("third");
    expect(driven.settled()).toContain("third: unsent closed");
    expect(driven.answers("first")).toContainEqual({ do: "disconnect", generation: 1, code: 1000 });
    expect(driven.client.state).toBe("idle");
    expect(driven.settled()).toContain("first: ok");
    expect(driven.client.wakeAt).toBeNull();
  });

  it("does not wait past the deadline of what is in flight", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.do({ on: "close" });
    driven.pass(2_000);
    expect(driven.settled()).toEqual(["a: unanswered"]);
    expect(driven.client.state).toBe("idle");
  });

  it("is taken back where the connection is wanted again before it is over", () => {
    const driven = new DrivenClient().ready();
    driven.command("a");
    driven.do({ on: "close" });
    driven.do({ on: "open" });
    expect(driven.client.state).toBe("ready");
    driven.command("b");
    expect(driven.client.inFlight).toBe(2);
    expect(driven.connects).toBe(1);
  });

  it("ends a connection that is still being made, and a back-off, at once", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    expect(driven.do({ on: "close" })).toContainEqual({ do: "disconnect", generation: 1, code: 1000 });
    driven.do({ on: "open" });
    driven.socket("failed");
    driven.do({ on: "close" });
    expect(driven.client.state).toBe("idle");
    expect(driven.pass(60_000)).toEqual([]);
  });
});
