export const keys = {
  ApiMallWebhookCreatePayload: () => null,
  DiligentWebhookCreatePayload: () => null,
  DiligentWebhookUpdatePayload: () => null,
  WebhookDeletePayload: () => null,
  WebhookDeliveryRedeliverPayload: () => null,
  WebhookHealthCount: () => null,
  WebhookLastDelivery: () => null,
  WebhookSourceError: () => null,
  WebhookSourceReport: () => null,
  WebhookUserError: () => null,
  WebhookWarning: () => null,
};
