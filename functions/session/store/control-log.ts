import type { CommandView } from "../../../shared/api/controls.ts";
import type { Disk } from "./disk.ts";

/** So many of the newest commands of each tenant are kept: no tenant's go for another's. */
const KEPT = 5_000;

/** A command of an operator's as it is kept, with no words that were spoken. */
export interface ControlCommand extends CommandView {
  tenant: string;
  /** What it is to lead to, by which it can be looked for later; JSON. */
  wanted: string | null;
  request_key: string | null;
  /** Tells two requests under one key apart. */
  fingerprint: string | null;
}

type Row = { seq: number; id: string; tenant: string; request_key: string | null; data: string };

/** ControlLog — operators' commands and what came of them: the only place that reads and writes its table. */
export class ControlLog {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Throws where there is no room for it: then nothing is sent. The tenant's oldest commands go. */
  add(command: ControlCommand): void {
    const { command_id, tenant, request_key } = command;
    const { newest } = this.#disk
      .exec<{ newest: number | null }>(
        "SELECT MAX(number) AS newest FROM control_commands INDEXED BY control_commands_by_tenant WHERE tenant = ?",
        tenant,
      )
      .one();
    const number = (newest ?? 0) + 1;
    this.#disk.exec(
      "INSERT INTO control_commands (id, tenant, request_key, data, number) VALUES (?, ?, ?, ?, ?)",
      command_id,
      tenant,
      request_key,
      JSON.stringify(command),
      number,
    );
    this.#disk.exec(
      "DELETE FROM control_commands INDEXED BY control_commands_by_tenant WHERE tenant = ? AND number <= ?",
      tenant,
      number - KEPT,
    );
  }

  update(command: ControlCommand): void {
    this.#disk.attempt(
      "UPDATE control_commands SET data = ? WHERE id = ?",
      JSON.stringify(command),
      command.command_id,
    );
  }

  find(tenant: string, id: string): ControlCommand | null {
    return this.#read("SELECT * FROM control_commands WHERE id = ?", id, tenant);
  }

  /** The command that was asked for under this key. */
  under(tenant: string, key: string): ControlCommand | null {
    const [row] = this.#disk.exec<Row>(
      "SELECT * FROM control_commands WHERE tenant = ? AND request_key = ?",
      tenant,
      key,
    );
    return row ? (JSON.parse(row.data) as ControlCommand) : null; // Written by add and update.
  }

  #read(statement: string, id: string, tenant: string): ControlCommand | null {
    const [row] = this.#disk.exec<Row>(statement, id);
    return row?.tenant === tenant ? (JSON.parse(row.data) as ControlCommand) : null; // The same.
  }
}
