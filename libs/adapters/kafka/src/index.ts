// The room's one door. Kafka between countries stands behind PartnerLink and InboxListener of libs/domain.
export {};
