import { describe, expect, it } from "vitest";
import { DrivenClient } from "./driven-client.ts";

const taken = { code: "200", message: "Receiving events" };

/** What the server was asked about contexts, oldest first. */
function asked(driven: DrivenClient): string[] {
  return driven.frames().flatMap(({ method, params }) => {
    const [, verb] = /^signalwire\.(receive|unreceive)$/.exec(method ?? "") ?? [];
    return verb === undefined ? [] : [`${verb} ${JSON.stringify(params?.["contexts"])}`];
  });
}

function answer(driven: DrivenClient, method: string, result: Record<string, unknown> = taken): void {
  driven.hears({ id: driven.last(method).id, result });
}

describe("contexts", () => {
  it("that change while ready are received and unreceived one after the other, on the same socket", () => {
    const driven = new DrivenClient({ contexts: ["a", "b"] }).ready();
    expect(driven.client.subscribed).toEqual(["a", "b"]);
    driven.do({ on: "contexts", contexts: ["b", "c"] });
    expect(asked(driven)).toEqual(['receive ["c"]']);
    answer(driven, "signalwire.receive");
    expect(asked(driven)).toEqual(['receive ["c"]', 'unreceive ["a"]']);
    answer(driven, "signalwire.unreceive");
    expect(driven.client.subscribed).toEqual(["b", "c"]);
    expect(driven.connects).toBe(1);
    driven.pass(300_000);
    expect(asked(driven)).toHaveLength(2);
  });

  it("come with a changed record as well", () => {
    const driven = new DrivenClient({ contexts: ["a"] }).ready();
    driven.do({
      on: "credentials",
      settings: { project: "p", token: "t", agent: "a", contexts: ["a", "b"] },
    });
    expect(asked(driven)).toEqual(['receive ["b"]']);
  });

  it("that change while authenticating are made good once ready", () => {
    const driven = new DrivenClient();
    driven.do({ on: "open" });
    driven.socket("opened");
    driven.do({ on: "contexts", contexts: ["support"] });
    expect(asked(driven)).toEqual([]);
    driven.hears({ id: driven.last("signalwire.connect").id, result: { protocol: "signalwire_one" } });
    expect(asked(driven)).toEqual(['receive ["support"]']);
  });

  it("that are refused are asked for again, ever later, and do not keep others from being given up", () => {
    const driven = new DrivenClient({ contexts: ["a"] }).ready();
    driven.do({ on: "contexts", contexts: ["c"] });
    answer(driven, "signalwire.receive", { code: "500", message: "no" });
    expect(driven.counts("contexts_failed")).toBe(1);
    expect(driven.client.subscribed).toEqual(["a"]);
    driven.pass(999);
    expect(asked(driven)).toEqual(['receive ["c"]']);
    driven.pass(2);
    expect(asked(driven)).toEqual(['receive ["c"]', 'unreceive ["a"]']);
    answer(driven, "signalwire.unreceive");
    expect(asked(driven)).toEqual(['receive ["c"]', 'unreceive ["a"]', 'receive ["c"]']);
    answer(driven, "signalwire.receive");
    expect(driven.client.subscribed).toEqual(["c"]);
  });

  it("that nobody answers for are asked for again, and an answer that comes late is nobody's", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "contexts", contexts: ["a"] });
    const first = driven.last("signalwire.receive").id;
    // The server is there: it answers our pings.
    for (let second = 0; second < 11; second += 1) {
      driven.pass(1_000);
      driven.hears({ id: "p", method: "signalwire.ping", params: {} });
    }
    expect(asked(driven)).toEqual(['receive ["a"]', 'receive ["a"]']);
    driven.hears({ id: first, result: taken });
    expect(driven.client.subscribed).toEqual([]);
    answer(driven, "signalwire.receive");
    expect(driven.client.subscribed).toEqual(["a"]);
  });

  it("are named by the next connect, and what a resumed session still has of old ones is given up", () => {
    const driven = new DrivenClient({ contexts: ["a"] }).ready();
    driven.socket("closed");
    driven.do({ on: "contexts", contexts: ["b"] });
    driven.pass(1_000);
    driven.login("signalwire_one");
    expect(driven.last("signalwire.connect").params).toHaveProperty("contexts", ["b"]);
    expect(asked(driven)).toEqual(['unreceive ["a"]']);
    const fresh = new DrivenClient({ contexts: ["a"] }).ready();
    fresh.socket("closed");
    fresh.do({ on: "contexts", contexts: ["b"] });
    fresh.pass(1_000);
    fresh.login("signalwire_two");
    expect(asked(fresh)).toEqual([]);
  });
});
