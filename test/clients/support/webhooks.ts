import type { RequestListener } from 'node:http';
import { encodeId } from '../../../src/webhook.ts';
import { apimallList, apimallRow, diligentRow } from '../../support/rows.ts';
import { json } from '../../support/upstream.ts';

const uuid = (index: number) => `${String(index).padStart(8, '0')}-4c6a-439f-b668-7cca0cd786fa`;

/** The ids of webhook 1, 2 and so on at each provider. */
export const idOf = {
  apimall: (index: number) => encodeId('ApiMallWebhook', 'apimall', String(index)),
  diligent: (index: number) => encodeId('DiligentWebhook', 'diligent', uuid(index)),
};

/** Their URLs. */
export function urlOf(source: keyof typeof idOf, index: number): string {
  return `https://hooks.acme.example/${source}/${index}`;
}

/** 1, 2 and so on. */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Upstreams that have so many webhooks each. */
export function holding(count: number): { readonly apimall: RequestListener; readonly diligent: RequestListener } {
  const indexes = upTo(count);
  return {
    apimall: apimallList(...indexes.map((id) => apimallRow({ id, url: urlOf('apimall', id) }))),
    diligent: json(indexes.map((id) => diligentRow({ id: uuid(id), webhook_url: urlOf('diligent', id) }))),
  };
}
