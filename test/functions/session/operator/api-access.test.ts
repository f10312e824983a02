import { expect, test, vi } from "vitest";
import type { AuditEntry } from "../../../../functions/session/contract/api-access.ts";
import { ApiAccess } from "../../../../functions/session/operator/api-access.ts";
import { Audit } from "../../../../functions/session/store/audit.ts";
import { Ledger, onStorage } from "../ledger.ts";

const DAY = 24 * 3_600_000;

const done: AuditEntry = {
  at: 1,
  token: "acme-1",
  name: "wall",
  action: "call.end",
  target: { call_id: "c-1" },
  sent_by: null,
  outcome: "ok",
  status: 202,
  verified_by: null,
  ms: 3,
};

async function audited(
  use: (access: ApiAccess, ledger: Ledger, pass: (ms: number) => void, sql: SqlStorage) => void,
): Promise<void> {
  await onStorage("audit", async ({ sql }) => {
    let now = 1_800_000_000_000;
    const clock = () => now;
    const ledger = new Ledger(sql, clock, async () => new Set());
    use(
      new ApiAccess(
        ledger,
        clock,
        () => {},
        () => {},
      ),
      ledger,
      (ms) => {
        now += ms;
      },
      sql,
    );
  });
}

test("what the audit has is changed by nothing, and forgotten after a year", async () => {
  await audited((access, ledger, pass, sql) => {
    access.record("p-1", "acme", { ...done, at: 1_800_000_000_000 });
    expect(() => sql.exec("UPDATE audit SET entry = '{}'")).toThrow("the audit is never changed");
    pass(364 * DAY);
    expect(ledger.audit.forget(200)).toBe(0);
    pass(2 * DAY);
    expect(ledger.audit.forget(200)).toBe(1);
    expect(access.audit("acme", { limit: 9 })).toEqual({ entries: [], next: null });
  });
});

test("of too many entries the oldest go, a slice at a time", async () => {
  await audited((_, ledger, __, sql) => {
    const few = new Audit(ledger.disk, Date.now, 10);
    sql.exec("DELETE FROM audit");
    for (let n = 0; n < 25; n += 1) few.add("acme", { ...done, at: Date.now(), token: `t-${n}` });
    expect([few.forget(10), few.forget(10), few.forget(10)]).toEqual([10, 5, 0]);
    expect(few.page("acme", 1e9, 200).entries.map(({ token }) => token)).toEqual(
      Array.from({ length: 10 }, (_, n) => `t-${24 - n}`),
    );
  });
});

test("a token that asks in vain again and again does not push out what others did", async () => {
  await audited((access, ledger, pass, sql) => {
    sql.exec("DELETE FROM audit");
    const count = () => ledger.audit.page("acme", 1e9, 900).entries.length;
    for (let n = 0; n < 500; n += 1) access.record("p-1", "acme", { ...done, outcome: "scope", status: 403 });
    expect(count()).toBe(60);
    access.record("p-1", "acme", done);
    pass(60_000);
    access.record("p-1", "acme", { ...done, outcome: "scope", status: 403 });
    expect(count()).toBe(62);
  });
});

test("where there is no room for an entry the log has it", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  await audited((access, ledger) => {
    vi.spyOn(ledger.audit, "add").mockReturnValue(false);
    access.record("p-1", "acme", done);
  });
  expect(error.mock.calls.join()).toContain("audit.not_written");
  vi.restoreAllMocks();
});
