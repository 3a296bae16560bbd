/** What every server without channels of its own has: sets of members by channel. */
export class Members<Member> {
  readonly #channels: Set<Member>[] = [];

  of(channel: number): ReadonlySet<Member> {
    return this.#set(channel);
  }

  join(channel: number, member: Member): void {
    this.#set(channel).add(member);
  }

  leave(channels: readonly number[], member: Member): void {
    for (const channel of channels) this.#set(channel).delete(member);
  }

  #set(channel: number): Set<Member> {
    let members = this.#channels[channel];
    if (members === undefined) {
      members = new Set();
      this.#channels[channel] = members;
    }
    return members;
  }
}
