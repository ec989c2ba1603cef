import type { CountryCode } from '@portolan/contracts';
import { PartnerLink, type PartnerMessage } from '@portolan/domain';

/** Partners may host different kinds of inbox: each message goes the way of its recipient. */
export class RoutedPartnerLink extends PartnerLink {
  constructor(
    private readonly wayTo: (country: CountryCode) => PartnerLink,
    private readonly ways: readonly PartnerLink[],
  ) {
    super();
  }

  send(to: CountryCode, message: PartnerMessage): Promise<void> {
    return this.wayTo(to).send(to, message);
  }

  async close(): Promise<void> {
    await Promise.all(this.ways.map((way) => way.close()));
  }
}
