import { expect, it } from "vitest";
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
