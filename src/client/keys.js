export const keys = {
  WebhookDeliveryHeader: () => null,
  WebhookDeliveryMessage: () => null,
  WebhookDeliveryStatusClassCount: () => null,
  WebhookFailureSummary: () => null,
  WebhookHealthCount: () => null,
  WebhookLastDelivery: () => null,
  WebhookSourceError: () => null,
  WebhookSourceReport: () => null,
};
