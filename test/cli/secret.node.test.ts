import { describe, expect, it } from "vitest";
import { answerHmac } from "../../shared/secret-answer.ts";
import { runPartyline } from "./run-partyline.ts";

const key = Buffer.alloc(32, 7).toString("base64");
const env = { CREDENTIALS_KEY: key };

describe("partyline secret", { timeout: 20_000 }, () => {
  it("prints what a ruleset holds in place of the PIN, without the line's end", async () => {
    const { out, err, code } = await runPartyline({
      args: ["secret", "--tenant", "acme"],
      env,
      input: "4711\n",
    });
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(JSON.parse(out)).toEqual({ hmac: await answerHmac(key, "acme", "4711") });
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
