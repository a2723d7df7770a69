/** What every contestant is told: where to listen, and where the two upstreams are, with their keys. */
export const environment = {
  port: Number(process.env.PORT),
  apimall: { url: process.env.APIMALL_API_URL ?? '', key: process.env.APIMALL_API_KEY ?? '' },
  diligent: { url: process.env.DILIGENT_API_URL ?? '', key: process.env.DILIGENT_API_KEY ?? '' },
};
