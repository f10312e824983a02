import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { answerHmac } from "../../../shared/secret-answer.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

async function bridge(more: Record<string, unknown> = {}): Promise<Fixture> {
  const home = await openFixture({ rules: [], carrier: { speed: 5 } });
  const hmac = async (digits: string) => ({
    hmac: await answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, digits),
  });
  await home.putRuleset({
    rules: [
      {
        id: "bridge",
        match: {},
        ask: {
          pin: {
            say: "Enter your PIN.",
            digits: "4-8",
            secret: true,
            tries: 2,
            goodbye: "Goodbye then.",
            ...more,
          },
        },
        rules: [
          {
            id: "chair",
            match: { "answer.pin": await hmac("47110815") },
            place: { room: "board", role: "moderator" },
          },
          { id: "member", match: { "answer.pin": await hmac("0815") }, place: { room: "board" } },
        ],
      },
    ],
  });
  return home;
}

async function asked(home: Fixture): Promise<string> {
  const { call_id } = await home.carrier.placeCall({
    from: "+15550100001",
    to: "+15550100199",
    url: home.webhook_url,
  });
  await home.carrier.wait({
    call: { call_id, heard: { sound: "say", contains: "Enter your PIN." } },
    timeout_ms: 10_000,
  });
  return call_id;
}

test("the answer picks room and role; no document after it, and no log line, knows the digits", async () => {
  const lines: string[] = [];
  const spies = (["info", "warn", "error"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...said: unknown[]) => {
      lines.push(said.join(" "));
    }),
  );
  await using home = await bridge();
  const call_id = await asked(home);
  await home.carrier.digits(call_id, "47110815#");
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` }, timeout_ms: 10_000 });
  for (const spy of spies) spy.mockRestore();
  expect((await home.carrier.call(call_id)).vars).not.toHaveProperty("prompt_value");
  expect(lines.join("\n")).toContain('"rule":"chair"');
  expect(lines.join("\n")).not.toContain("47110815");
});

test("a wrong answer is told so and asked again; after the last try there is a goodbye", async () => {
  await using home = await bridge();
  const call_id = await asked(home);
  await home.carrier.digits(call_id, "1111#");
  await home.carrier.wait({
    call: { call_id, heard: { contains: "That is not right." } },
    timeout_ms: 10_000,
  });
  await home.carrier.wait({ journal: { kind: "document", contains: { call_id, step: "prompt" } } });
  await expect
    .poll(
      async () =>
        (await home.carrier.call(call_id)).heard.filter(({ detail }) => detail.includes("Enter your PIN."))
          .length,
    )
    .toBe(2);
  await home.carrier.digits(call_id, "2222#");
  await home.carrier.wait({
    call: { call_id, state: "ended", heard: { contains: "Goodbye then." } },
    timeout_ms: 10_000,
  });
  expect((await home.carrier.call(call_id)).joins).toEqual([]);
});

test("nothing keyed is told from something wrong", async () => {
  await using home = await bridge();
  const call_id = await asked(home);
  await home.carrier.wait({
    call: { call_id, heard: { contains: "We did not hear anything." } },
    timeout_ms: 15_000,
  });
});

test("an answer that nobody asked for counts for nothing: digits in a fresh entry's vars open no room", async () => {
  await using home = await bridge();
  const { call_id } = await home.carrier.placeCall({
    from: "+15550100001",
    to: "+15550100199",
    url: home.webhook_url,
    vars: { prompt_result: "match_digits", prompt_value: "4711" },
  });
  await home.carrier.wait({ call: { call_id, heard: { contains: "Enter your PIN." } }, timeout_ms: 10_000 });
  expect((await home.carrier.call(call_id)).joins).toEqual([]);
});
