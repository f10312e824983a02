import { describe, expect, it } from "vitest";
import { readPinList } from "../../cli/pin-list.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { runPartyline } from "./run-partyline.ts";

const key = Buffer.alloc(32, 7).toString("base64");
const env = { CREDENTIALS_KEY: key };

describe("partyline secret", { timeout: 20_000 }, () => {
  it("prints what a ruleset holds in place of the PIN, without the line's end, and beside it where KV would", async () => {
    const { out, err, code } = await runPartyline({
      args: ["secret", "--tenant", "acme"],
      env,
      input: "4711\n",
    });
    const hmac = await answerHmac(key, "acme", "4711");
    expect({ err, code }).toEqual({ err: `in KV: pins/acme/${hmac}\n`, code: 0 });
    expect(JSON.parse(out)).toEqual({ hmac });
  });

  it("makes of a list what wrangler kv bulk put takes", async () => {
    const input = "pin,room,role\n4711,team-a,chair\r\n0815, team-a\n\n1234\n";
    const { out, err, code } = await runPartyline({
      args: ["secret", "--tenant", "acme", "--list", "-"],
      env,
      input,
    });
    expect({ err, code }).toEqual({ err: "", code: 0 });
    const keyOf = async (pin: string) => `pins/acme/${await answerHmac(key, "acme", pin)}`;
    expect(JSON.parse(out)).toEqual([
      { key: await keyOf("4711"), value: '{"room":"team-a","role":"chair"}' },
      { key: await keyOf("0815"), value: '{"room":"team-a"}' },
      { key: await keyOf("1234"), value: "{}" },
    ]);
  });

  it("reads the columns as the header names them", async () => {
    const input = "\ufeffRoom, PIN, note\nteam-a, 4711, Ada; deputy\n";
    const { out } = await runPartyline({ args: ["secret", "--tenant", "acme", "--list", "-"], env, input });
    expect(JSON.parse(out)).toEqual([
      {
        key: `pins/acme/${await answerHmac(key, "acme", "4711")}`,
        value: '{"room":"team-a","note":"Ada; deputy"}',
      },
    ]);
  });

  it("says which lines of a list are not right, shows no PIN of it, and makes nothing then", async () => {
    const utf16 = Buffer.from("\ufeffpin,room,role\n4711,team-a,chair\n", "utf16le");
    const header = "pin,room,role (or with note as well)";
    const lists: [input: string | Buffer, problems: string[]][] = [
      [
        'pin,room,role\n4711,team-a\n47x1,team-a\n4711,team-b\n0815,%{room},chair\n1234,a,b,c\n"1235",a,b\n1236;a;b\n1237\ta\n',
        [
          "line 3: the PIN must be 1 to 32 digits",
          "line 4: the PIN is that of line 2, too",
          "line 5: room: may not hold ${ or %{, which SignalWire would run as code",
          "line 6: there must be no more than pin,room,role",
          "line 7: there are quotes: write the fields without them",
          "line 8: the fields are separated by ; : separate them by commas",
          "line 9: the fields are separated by tabs: separate them by commas",
        ],
      ],
      ["4711,team-a\n", [`line 1: the header is missing: the first line must be ${header}`]],
      ["4711\n", [`line 1: the header is missing: the first line must be ${header}`]],
      ["number,room\n4711,team-a\n", [`line 1: the header must be ${header}`]],
      ["room,role\nteam-a,chair\n", [`line 1: the header must be ${header}`]],
      ["pin,room,room\n", ["line 1: the column room is there twice"]],
      ["\npin;room;role\n4711;a;b\n", ["line 2: the fields are separated by ; : separate them by commas"]],
      ["pin\troom\n4711\ta\n", ["line 1: the fields are separated by tabs: separate them by commas"]],
      ['"pin","room"\n"4711","a"\n', ["line 1: there are quotes: write the fields without them"]],
      [utf16, ['it is UTF-16, as Excel\'s "Unicode text" is: save it as CSV in UTF-8']],
      [utf16.subarray(2), ['it is UTF-16, as Excel\'s "Unicode text" is: save it as CSV in UTF-8']],
      [Buffer.from([0x70, 0xe9, 0x0a]), ["it is not UTF-8: save it as CSV in UTF-8"]],
      ["", ["there is no PIN in it"]],
      ["pin,room,role\n\n", ["there is no PIN in it"]],
    ];
    for (const [input, problems] of lists)
      expect(await readPinList(Buffer.from(input), key, "acme")).toEqual({ ok: false, problems });
    const [[input, problems] = ["", []]] = lists;
    const ran = await runPartyline({ args: ["secret", "--tenant", "acme", "--list", "-"], env, input });
    const err = ["error: the list is not right:", ...problems.map((problem) => `  ${problem}`), ""].join(
      "\n",
    );
    expect(ran).toEqual({ out: "", err, code: 1 });
    const missing = await runPartyline({
      args: ["secret", "--tenant", "acme", "--list", "no-such-file"],
      env,
    });
    expect(missing).toMatchObject({
      code: 2,
      err: expect.stringContaining("no-such-file: there is no such file"),
    });
  });

  it("makes another one for another tenant", async () => {
    const { out } = await runPartyline({ args: ["secret", "--tenant", "other"], env, input: "4711" });
    expect(JSON.parse(out)).not.toEqual({ hmac: await answerHmac(key, "acme", "4711") });
  });

  it("takes nothing that can't be keyed, ends with 1 then, and does not show it", async () => {
    for (const input of ["", "47 11", "hunter2", "1".repeat(33)]) {
      const { out, err, code } = await runPartyline({ args: ["secret", "--tenant", "acme"], env, input });
      expect({ out, code }).toEqual({ out: "", code: 1 });
      expect(err).toBe(
        "error: a PIN is 1 to 32 of the digits, * and #, as the caller keys it without the terminator.\n",
      );
    }
  });

  it("ends with 2 without a tenant that can be, or without the key", async () => {
    const nobody = await runPartyline({ args: ["secret"], env, input: "4711" });
    expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining("--tenant <id>") });
    const odd = await runPartyline({ args: ["secret", "--tenant", "Acme!"], env, input: "4711" });
    expect(odd).toMatchObject({ code: 2, err: expect.stringContaining("1 to 24 of a-z, 0-9 and -") });
    const keyless = await runPartyline({ args: ["secret", "--tenant", "acme"], input: "4711" });
    expect(keyless).toMatchObject({
      out: "",
      code: 2,
      err: expect.stringContaining("CREDENTIALS_KEY is not set"),
    });
  });
});
