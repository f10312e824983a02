import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ivBytes, openSecret, sealSecret } from "../../shared/credentials.ts";
import { toBase64Url } from "../../shared/encoding.ts";

const key = btoa("k".repeat(32));
const iv = new Uint8Array(ivBytes).fill(7);

describe("a secret in a project's record", () => {
  it("opens to what was sealed, with the same key and project", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.string({ minLength: 1 }),
        async (secret, project) => {
          const sealed = await sealSecret(key, project, secret, iv);
          expect(sealed).toMatch(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
          return (await openSecret(key, project, sealed)) === secret;
        },
      ),
      { numRuns: 50 },
    );
  });

  it("opens with white space around it, as a paste leaves it", async () => {
    const sealed = await sealSecret(key, "p-1", "PTtoken", iv);
    expect(await openSecret(`${key}\n`, "p-1", `${sealed}\n`)).toBe("PTtoken");
  });

  it("does not open for another project, with another key, or altered", async () => {
    const sealed = await sealSecret(key, "p-1", "PTtoken", iv);
    const altered = sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA");
    const does_not_open = { code: "sealed_secret", message: expect.stringContaining("does not open") };
    await expect(openSecret(key, "p-2", sealed)).rejects.toMatchObject(does_not_open);
    await expect(openSecret(btoa("x".repeat(32)), "p-1", sealed)).rejects.toMatchObject(does_not_open);
    await expect(openSecret(key, "p-1", altered)).rejects.toMatchObject(does_not_open);
  });

  it("is told from a secret that was never sealed, without showing it", async () => {
    for (const text of ["PTplain", "", "v1.a.b", "v2.AAAAAAAAAAAAAAAA.AAAA", `v1.${toBase64Url(iv)}.!!`]) {
      const opening = openSecret(key, "p-1", text);
      await expect(opening).rejects.toMatchObject({ code: "sealed_secret" });
      await expect(opening).rejects.toThrow(/^not a sealed secret .* seal --project p-1$/);
    }
  });

  it("asks for a key of 32 bytes in base64, and says whether one was set", async () => {
    for (const bad of ["c2hvcnQ=", "not base64!", btoa("k".repeat(31)), btoa("k".repeat(33))]) {
      await expect(sealSecret(bad, "p-1", "s", iv)).rejects.toThrow(
        "CREDENTIALS_KEY is not 32 bytes in base64",
      );
    }
    await expect(openSecret("", "p-1", "v1.a.b")).rejects.toThrow("CREDENTIALS_KEY is not set");
  });
});
