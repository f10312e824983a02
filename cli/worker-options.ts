import { InvalidArgumentError } from "commander";
import { isTenantId } from "../shared/conference.ts";

/** `--url`: where the Worker is, the path included under which it is served. */
export function workerUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new InvalidArgumentError("Write the Worker's own URL: https://partyline.example.com");
  }
  if (/\/(hooks|api)(\/|$)/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError(
      `Write the Worker's own URL, without what follows the host: ${url.origin}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new InvalidArgumentError("Leave out what stands before the @: ADMIN_TOKEN is all that is sent.");
  }
  return url;
}

/** `--tenant`. */
export function tenantId(text: string): string {
  if (!isTenantId(text)) throw new InvalidArgumentError("A tenant's id is 1 to 24 of a-z, 0-9 and -.");
  return text;
}

/** A project's id: for another one, what is sealed for it would never open. */
export function projectId(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "A project's id is a UUID in small letters, as SignalWire's dashboard shows it: 11111111-2222-4333-8444-555555555555.",
  );
}

/** A number of seconds, or of something else that is counted. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a whole number, such as 60.");
}
