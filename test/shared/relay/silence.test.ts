import { describe, expect, it } from "vitest";
import { DrivenClient } from "./driven-client.ts";

it("probes after 10 s of silence and drops the socket 10 s later, so a half-open one is found within 20 s", () => {
  const driven = new DrivenClient().ready();
  expect(driven.pass(9_999)).toEqual([]);
  expect(driven.frames(driven.pass(1))).toMatchObject([{ method: "signalwire.ping", params: {} }]);
  driven.pass(9_999);
  expect(driven.client.state).toBe("ready");
  expect(driven.pass(1)).toContainEqual({ do: "disconnect", generation: 1, code: 4000 });
  expect(driven.generation).toBe(2);
});

it("takes an answered probe, even by an error, for life, and counts no unknown answer", () => {
  const driven = new DrivenClient().ready();
  for (let i = 0; i < 5; i++) {
    driven.pass(10_000);
    driven.hears({ id: driven.last("signalwire.ping").id, error: { code: -32601, message: "what?" } });
  }
  expect(driven.counts("probe_sent")).toBe(5);
  expect(driven.counts("unknown_answer")).toBe(0);
  expect(driven.client.state).toBe("ready");
});

it("takes any frame for life, junk as well", () => {
  const driven = new DrivenClient().ready();
  for (let i = 0; i < 10; i++) {
    driven.pass(9_000);
    driven.hears("nonsense");
  }
  expect(driven.counts("probe_sent")).toBe(0);
});

it("takes a frame that waited behind a late tick for life", () => {
  const driven = new DrivenClient().ready();
  driven.pass(10_000);
  driven.now += 15_000;
  driven.hears({ id: "p1", method: "signalwire.ping" });
  expect(driven.client.state).toBe("ready");
});

it("never closes the socket for a slow command", () => {
  const driven = new DrivenClient().ready();
  driven.command("slow");
  driven.pass(9_000);
  driven.hears({ id: "p1", method: "signalwire.ping" });
  driven.pass(9_000);
  expect(driven.settled()).toEqual(["slow: unanswered"]);
  expect(driven.client.state).toBe("ready");
});

describe("watched closely", () => {
  const answer = (driven: DrivenClient) =>
    driven.hears({ id: driven.last("signalwire.ping").id, result: {} });

  it("pings every 1.5 s, whatever else is heard, and goes on while each is answered", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "watch", closely: true });
    for (let i = 0; i < 20; i++) {
      driven.hears({ id: `e${i}`, method: "signalwire.ping" });
      driven.pass(1_500);
      answer(driven);
    }
    expect(driven.counts("probe_sent")).toBe(20);
    expect(driven.client.state).toBe("ready");
  });

  it("leaves a socket 4 s after a ping of whose answers one is missing, though others come", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "watch", closely: true });
    driven.pass(1_500);
    driven.pass(1_500);
    answer(driven);
    driven.pass(1_500);
    answer(driven);
    driven.pass(999);
    expect(driven.client.state).toBe("ready");
    expect(driven.pass(1)).toContainEqual({ do: "disconnect", generation: 1, code: 4000 });
  });

  it("takes answers in any order", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "watch", closely: true });
    driven.pass(3_000);
    const pings = driven.frames().filter(({ method }) => method === "signalwire.ping");
    for (const { id } of pings.reverse()) driven.hears({ id, result: {} });
    driven.pass(1_499);
    expect(driven.client.state).toBe("ready");
  });

  it("no longer asks for the answer of a ping once it is no longer watched and something is heard", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "watch", closely: true });
    driven.pass(1_500);
    driven.do({ on: "watch", closely: false });
    driven.hears({ id: "p1", method: "signalwire.ping" });
    driven.pass(9_999);
    expect(driven.client.state).toBe("ready");
    expect(driven.counts("probe_sent")).toBe(1);
    answer(driven);
    expect(driven.counts("unknown_answer")).toBe(0);
  });

  it("watches the next socket, too, and takes no answer amiss that the last one owes", () => {
    const driven = new DrivenClient().ready();
    driven.do({ on: "watch", closely: true });
    driven.pass(5_600);
    driven.pass(300);
    driven.login();
    driven.pass(1_499);
    const pings = driven.counts("probe_sent");
    driven.pass(1);
    expect(driven.counts("probe_sent")).toBe(pings + 1);
    expect(driven.client.state).toBe("ready");
  });
});
