import fc from "fast-check";
import { expect, test } from "vitest";
import { AudioMonitor } from "./audio-monitor.ts";
import type { Sound } from "./leg.ts";

function earAt() {
  const clock = { ms: 1_000_000 };
  return { clock, ear: new AudioMonitor(() => clock.ms) };
}

test("what is heard carries its times since the call began, open-ended while it lasts", () => {
  const { clock, ear } = earAt();
  const stop = ear.begin("say", "Hello.");
  clock.ms += 300;
  stop();
  ear.begin("music", "hold");
  clock.ms += 50;
  expect(ear.report().heard).toEqual([
    { sound: "say", detail: "Hello.", from_ms: 0, to_ms: 300 },
    { sound: "music", detail: "hold", from_ms: 300, to_ms: null },
  ]);
});

test("silence is counted before, between and after sounds, and up to now", () => {
  const { clock, ear } = earAt();
  clock.ms += 100;
  const first = ear.begin("say", "a");
  clock.ms += 500;
  first();
  clock.ms += 700;
  const second = ear.begin("say", "b");
  clock.ms += 10;
  second();
  expect(ear.report().longest_silence_ms).toBe(700);
  clock.ms += 12_000;
  expect(ear.report().longest_silence_ms).toBe(12_000);
});

test("an explicit silence is silence, and no second sound", () => {
  const { clock, ear } = earAt();
  const silence = ear.begin("silence", "silence:10");
  clock.ms += 4000;
  const say = ear.begin("say", "a");
  clock.ms += 1000;
  say();
  clock.ms += 5000;
  silence();
  expect(ear.report()).toMatchObject({ longest_silence_ms: 5000, two_sounds: false });
});

test("two sounds at once are seen, even after both are over", () => {
  const { clock, ear } = earAt();
  const music = ear.begin("music", "hold");
  clock.ms += 1000;
  const say = ear.begin("say", "a");
  clock.ms += 1;
  music();
  clock.ms += 1000;
  say();
  expect(ear.report().two_sounds).toBe(true);
});

test("a room's music that ends as its conference begins is one sound after another", () => {
  const { clock, ear } = earAt();
  const music = ear.begin("music", "hold");
  clock.ms += 1000;
  music();
  ear.begin("conference", "acme:board");
  clock.ms += 1000;
  expect(ear.report()).toMatchObject({ two_sounds: false, longest_silence_ms: 0 });
});

test("the end of the call ends every sound and the count of silence", () => {
  const { clock, ear } = earAt();
  const stop = ear.begin("ring", "ringback");
  clock.ms += 2000;
  ear.end();
  clock.ms += 60_000;
  stop();
  ear.begin("say", "too late");
  expect(ear.report()).toEqual({
    heard: [{ sound: "ring", detail: "ringback", from_ms: 0, to_ms: 2000 }],
    longest_silence_ms: 0,
    two_sounds: false,
  });
});

test("sounds one after another are never two at once, and silence is never longer than what they leave", () => {
  const sounds = fc.constantFrom<Sound>("say", "audio", "ring", "music", "conference");
  const spans = fc.array(
    fc.record({ sound: sounds, gap_ms: fc.nat(20_000), ms: fc.integer({ min: 1, max: 20_000 }) }),
  );
  fc.assert(
    fc.property(spans, (script) => {
      const { clock, ear } = earAt();
      for (const { sound, gap_ms, ms } of script) {
        clock.ms += gap_ms;
        const stop = ear.begin(sound, "");
        clock.ms += ms;
        stop();
      }
      const report = ear.report();
      expect(report.two_sounds).toBe(false);
      expect(report.longest_silence_ms).toBe(Math.max(0, ...script.map(({ gap_ms }) => gap_ms)));
    }),
  );
});
