import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, warmUp } from "../../fixture.ts";
import {
  answeredElsewhere,
  apology,
  call,
  caller,
  heard,
  inRoom,
  lose,
  openContext,
  overflow,
  putContexts,
  says,
  session,
  subscribed,
} from "./context-fixture.ts";

beforeAll(warmUp);

test("a call that another client answered stands in no line of ours: nobody fetches it from there", async () => {
  const place = { room: "small", capacity: 1, overflow: overflow("wait", { say: "Nobody came free." }) };
  await using home = await openContext([{ id: "small", match: {}, place }]);
  const first = await call(home);
  await inRoom(home, first, "small");
  await home.carrier.change({
    faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } }],
  });
  await answeredElsewhere(home, await call(home, "+15550100002"));
  const unserved = () =>
    runInDurableObject(session(home), (_, state) =>
      state.storage.sql
        .exec(
          "SELECT placements.state FROM placements JOIN walks USING (call_id) WHERE walks.state IS NULL AND wait IS NOT NULL",
        )
        .toArray(),
    );
  await expect.poll(unserved, { timeout: 5_000 }).toEqual([{ state: "failed" }]);
});

test("a call that waits for a seat hears music and its place, and comes in when its turn has come", async () => {
  await using home = await openContext([
    {
      id: "small",
      match: {},
      place: {
        room: "small",
        capacity: 1,
        overflow: overflow("wait", { say: "Nobody came free." }),
        wait: { music: "https://sounds.example.com/hold.mp3#seconds=20", position: true },
      },
    },
  ]);
  const first = await call(home);
  await inRoom(home, first, "small");
  const [second, third] = [await call(home, "+15550100002"), await call(home, "+15550100003")];
  await says(home, second, "You are number 1 in line.");
  await says(home, third, "You are number 2 in line.");
  await home.carrier.hangUp(first);
  await inRoom(home, second, "small");
  await lose(home);
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
  await home.carrier.hangUp(second);
  await inRoom(home, third, "small");
  for (const call_id of [second, third]) {
    expect((await home.carrier.call(call_id)).joins).toHaveLength(1);
    expect((await heard(home, call_id)).slice(0, 2)).toEqual(["ring", expect.stringContaining("in line")]);
  }
});

describe("a call that stands in its line", () => {
  const desk = {
    id: "desk",
    match: {},
    place: {
      room: "desk",
      capacity: 1,
      overflow: overflow("wait", {}),
      wait: { music: "https://example.com/music.mp3#seconds=600" },
    },
  };

  /** Somebody in the only seat, and somebody who hears music. */
  async function open(
    carrier: { speed?: number } = {},
  ): Promise<{ home: Fixture; seated: string; waiter: string }> {
    const home = await openContext([desk], { carrier });
    const seated = await call(home);
    await inRoom(home, seated, "desk");
    const waiter = await call(home, "+15550100002");
    await home.carrier.wait({ call: { call_id: waiter, heard: { sound: "audio", contains: "music.mp3" } } });
    return { home, seated, waiter };
  }

  test("comes in when its turn has come, though its context is nobody's any more", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await putContexts(home, { other: home.tenant });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    expect(await heard(home, waiter)).not.toContain(apology);
  });

  test("takes no music into the room where nobody answers that it is stopped", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await home.carrier.change({
      faults: [
        { at: "command", match: { method: "calling.play.stop" }, do: { kind: "drop_socket" } },
        { at: "rest", times: 1, do: { kind: "code", code: "500" } },
      ],
    });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });

  test("hears no music in its room for long where neither side could stop it in time", async () => {
    const { home: opened, seated, waiter } = await open({ speed: 1 });
    await using home = opened;
    await home.carrier.change({
      faults: [
        { at: "connect", do: { kind: "refuse" } },
        { at: "rest", do: { kind: "code", code: "500" } },
      ],
    });
    await home.carrier.sockets("drop");
    await home.carrier.hangUp(seated);
    const asked = async () =>
      (await home.carrier.journal({ kind: "rest" })).map(({ body }) => String(body)).join();
    await expect.poll(asked, { timeout: 15_000 }).toContain("calling.transfer");
    await home.carrier.change({ faults: [] });
    await inRoom(home, waiter, "desk");
    const music = async () =>
      (await home.carrier.call(waiter)).heard.find(({ sound }) => sound === "audio")?.to_ms;
    await expect.poll(music, { timeout: 5_000 }).toBeTypeOf("number");
  });

  test("comes in when the event says that its music is over, though the answer to the stop is late", async () => {
    const { home: opened, seated, waiter } = await open({ speed: 1 });
    await using home = opened;
    await home.carrier.change({
      faults: [
        { at: "answer", match: { method: "calling.play.stop" }, do: { kind: "delay", ms: 5_000 } },
        { at: "rest", do: { kind: "delay", ms: 5_000 } },
      ],
    });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
    // RELAY has 1.5 s to answer: the command that follows on the same call waits for that.
    expect((await home.carrier.call(waiter)).longest_silence_ms).toBeLessThan(2_500);
  });

  test("takes no music into the room where RELAY does not find the call whose music it is to stop", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await home.carrier.change({
      faults: [{ at: "command", match: { method: "calling.play.stop" }, do: { kind: "code", code: "404" } }],
    });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });

  test("is led in by the session that comes after the one that vanished, and the music ends first", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
    await home.carrier.hangUp(seated);
    // Somebody asks for a seat, and so finds that the other has gone, before anybody takes the walk up again.
    await home.carrier.placeCall({ ...caller, from: "+15550100003", url: home.webhook_url });
    await runDurableObjectAlarm(session(home));
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });
});
