import type { Finding } from "../../../shared/api/doctor.ts";
import { diagnoseForm } from "../../../shared/form-diagnosis.ts";
import { signForm, verifyForm } from "../../../shared/form-signature.ts";
import { pathAndQuery, signedUrls, signJson, verifyJson } from "../../../shared/signature.ts";
import { type Diagnosis, diagnoseJson } from "../../../shared/signature-diagnosis.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { languageOf, type PastedUrl, webhookPath } from "./url.ts";

/** Any JSON does, and any form: a signature is over bytes, or over whatever the fields are. */
const sample = new TextEncoder().encode('{"call":{"call_id":"doctor"}}');
const sampleForm = "CallSid=doctor";

interface PublicUrl {
  public_url: string;
  /** Where it is not `set`, `public_url` is the origin of the request at hand. */
  setting: "set" | "unset" | "unusable";
}

/** Whether a webhook that SignalWire signs for the pasted URL would be taken for authentic. */
export async function signatureFindings(
  url: PastedUrl | null,
  tenant: Tenant,
  { public_url, setting }: PublicUrl,
  now: number,
): Promise<Finding[]> {
  const keys = tenant.project.signing_keys.filter((key) => key !== "");
  const findings = keyFindings(keys.length, tenant);
  const [key] = keys;
  if (setting === "unusable") {
    findings.push({
      check: "signature",
      ok: false,
      message: `${settingName(tenant)} is not the beginning of a URL, so no signature can be right.`,
      fix: "Write it with scheme and host, and without query or fragment: https://partyline.example.com",
    });
  } else if (key !== undefined && url) {
    findings.push(await urlFinding(url, tenant, public_url, key));
  }
  if (setting === "unset") {
    findings.push({
      check: "signature",
      ok: true,
      message: "PUBLIC_URL is not set: signatures are checked against whichever host a request came to.",
      fix: "npx wrangler deploy --var PUBLIC_URL:https://… (or public_url in the tenant's record)",
    });
  }
  return [...findings, ...reportFindings(tenant, now)];
}

function keyFindings(count: number, { project }: Tenant): Finding[] {
  switch (count) {
    case 0:
      return [
        {
          check: "signature",
          ok: false,
          message: "The project has no signing key, or an empty one: no webhook can be authentic.",
          fix: `Seal the signing key that SignalWire's dashboard shows under API credentials: npx partyline seal --project ${project.project_id}`,
        },
      ];
    case 1:
      return [
        {
          check: "signature",
          ok: true,
          message: "One signing key. Whether it is SignalWire's shows when the first call comes.",
        },
      ];
    default:
      return [
        {
          check: "signature",
          ok: true,
          message: "Two signing keys: webhooks signed with either are taken.",
          fix: "Take the old one out of the record once SignalWire signs with the new one (about a minute).",
        },
      ];
  }
}

/** Signs as SignalWire would for the pasted URL, and verifies as this Worker would. Its path is the URL check's concern. */
async function urlFinding(url: PastedUrl, tenant: Tenant, public_url: string, key: string): Promise<Finding> {
  const { url_fragment } = tenant.record;
  const language = languageOf(url);
  const path = webhookPath(tenant.tenant, public_url, language);
  // A proxy that serves us under a path of its own takes that path off before the request comes here; characters come escaped.
  const came = new URL(`${url.origin}/hooks/${tenant.tenant}/${language}${url.query}`).href;
  const received_url = url.origin + pathAndQuery(came);
  const check = language === "swml" ? checkJson : checkForm;
  const diagnosis = await check(key, `${url.origin}${path}${url.query}`, {
    keys: tenant.project.signing_keys,
    urls: signedUrls(public_url, received_url, url_fragment),
    public_url,
    received_url,
  });
  if (!diagnosis) {
    return { check: "signature", ok: true, message: "Signatures made for the pasted URL verify here." };
  }
  if (diagnosis.code === "escapes") return { check: "signature", ok: false, message: diagnosis.sentence };
  const origin = public_url.replace(/^(https?:\/\/)[^/?#@]*@/i, "$1").replace(/\/+$/, "");
  return {
    check: "signature",
    ok: false,
    message:
      diagnosis.code === "another_key"
        ? `Signatures made for the pasted URL do not verify here: another beginning than ${origin} was pasted.`
        : diagnosis.sentence,
    fix: `Paste ${origin}/hooks/${tenant.tenant}/${language}${url_fragment === undefined ? "" : `#${url_fragment}`} at SignalWire, or set ${settingName(tenant)} to ${url.origin}`,
  };
}

interface Verifying {
  keys: readonly string[];
  urls: readonly string[];
  public_url: string;
  received_url: string;
}

/** Null: a JSON webhook that is signed for the URL is taken for authentic. */
async function checkJson(key: string, signed_url: string, against: Verifying): Promise<Diagnosis | null> {
  const sha256 = await signJson("SHA-256", key, signed_url, sample);
  const signed = { ...against, raw: sample, sha256 };
  return (await verifyJson(signed)).ok ? null : await diagnoseJson(signed);
}

/** Null: a form that is signed for the URL is taken for authentic. */
async function checkForm(key: string, signed_url: string, against: Verifying): Promise<Diagnosis | null> {
  const signature = await signForm(key, signed_url, sampleForm);
  const signed = { ...against, body: sampleForm, signature };
  return (await verifyForm(signed)) ? null : await diagnoseForm({ ...signed, covers: true });
}

function settingName({ tenant, record }: Tenant): string {
  return record.public_url === undefined ? "PUBLIC_URL" : `public_url in tenant/${tenant}`;
}

function reportFindings({ tenant, record: { report_until } }: Tenant, now: number): Finding[] {
  if (report_until === undefined || report_until <= now) return [];
  return [
    {
      check: "signature",
      ok: true,
      message: `report_until runs until ${new Date(report_until).toISOString()} (24 h ahead at most count): calls whose signature is wrong are served meanwhile, and the log says why.`,
      fix: `Take report_until out of tenant/${tenant} once calls are authentic.`,
    },
  ];
}
