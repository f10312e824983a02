import { env, exports } from "cloudflare:workers";
import { inject } from "vitest";
import { type DoctorReply, doctorReplySchema, type Finding } from "../../../shared/api/doctor.ts";
import { sealSecret } from "../../../shared/credentials.ts";
import type { Fixture } from "../fixture.ts";
import { expectAsTold } from "./as-told.ts";

export const carrier_host = new URL(inject("carrier")).host;
export const origin = "https://partyline.test";

/** A request to the API, with the right token unless headers say otherwise. The answer is as the table says, or this throws. */
export async function askApi(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: "Bearer test-admin-token", ...init.headers };
  const response = await exports.default.fetch(new Request(`${origin}/api${path}`, { ...init, headers }));
  await expectAsTold(init.method ?? "GET", path, response);
  return response;
}

export async function askDoctor(tenant: string, url: string): Promise<DoctorReply> {
  const response = await askApi(`/tenants/${tenant}/doctor`, {
    method: "POST",
    body: JSON.stringify({ url }),
  });
  return doctorReplySchema.parse(await response.json());
}

/** What was found of one check, as a person reads it: ✓, ! (right, and wants attention) or ✗, then the words. */
export function said({ findings }: DoctorReply, check: Finding["check"]): string[] {
  return findings
    .filter((finding) => finding.check === check)
    .map(({ ok, message, fix }) => {
      const mark = ok ? (fix === undefined ? "✓" : "!") : "✗";
      return `${mark} ${message}${fix === undefined ? "" : ` → ${fix}`}`;
    });
}

export async function seal(
  project_id: string,
  secret: string,
  key = env.CREDENTIALS_KEY ?? "",
): Promise<string> {
  return await sealSecret(key, project_id, secret, crypto.getRandomValues(new Uint8Array(12)));
}

/** Writes the project's record anew, right but for the changes. */
export async function putProject({ carrier }: Fixture, changes: Record<string, unknown>): Promise<void> {
  const { project_id, token, signing_key } = carrier;
  const record = {
    space: `http://${carrier_host}`,
    credentials: await seal(project_id, token),
    signing_keys: [await seal(project_id, signing_key)],
    ...changes,
  };
  await env.DIRECTORY.put(`project/${project_id}`, JSON.stringify(record));
}
