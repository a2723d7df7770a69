export const keys = {
  WebhookHealthCount: () => null,
  WebhookLastDelivery: () => null,
  WebhookSourceError: () => null,
  WebhookSourceReport: () => null,
};
