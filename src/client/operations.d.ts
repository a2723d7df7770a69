/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends {
    [key: string]: unknown;
}> = {
    [K in keyof T]: T[K];
};
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | {
    [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never;
};
import { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** Our verdict on a webhook, the same scale for every provider. From the worst: FAILING, UNKNOWN, IDLE, DISABLED, HEALTHY. */
export type WebhookHealth = 
/** Switched off at the provider: nothing is delivered. */
'DISABLED'
/** Deliveries fail, or an error is recorded. */
 | 'FAILING'
/** In use, and nothing speaks against it. */
 | 'HEALTHY'
/** No delivery was tried yet. */
 | 'IDLE'
/** The provider does not say enough, or says it in a word that we do not know. */
 | 'UNKNOWN';
/** The vendors whose webhooks are in this graph. */
export type WebhookProvider = 
/** API Mall (apimall.ai): lists, creates and deletes webhooks; counts deliveries, keeps no log of them. */
'API_MALL'
/** Diligent AI (godiligent.ai): lists, creates, changes and deletes webhooks, at most ten; keeps a log of deliveries. */
 | 'DILIGENT';
/** What can be done at a source through this graph. */
export type WebhookSourceCapability = 
/** Webhooks can be registered. */
'CREATE'
/** Webhooks can be removed. */
 | 'DELETE'
/** Recent deliveries can be read. */
 | 'DELIVERIES'
/** Its webhooks can be read. */
 | 'LIST'
/** A delivery can be sent again. */
 | 'REDELIVER'
/** Webhooks can be changed. */
 | 'UPDATE';
/** Why a source could not be read, or not whole. */
export type WebhookSourceErrorCode = 
/** The key is not 1 to 256 visible ASCII characters. */
'BAD_CREDENTIAL'
/** The provider's answer could not be read. */
 | 'BAD_RESPONSE'
/** The provider failed repeatedly and is not being asked for a moment. */
 | 'CIRCUIT_OPEN'
/** The provider does not let this key do that. */
 | 'FORBIDDEN'
/** This source has no key here. */
 | 'NOT_CONFIGURED'
/** The provider does not know what was asked for. */
 | 'NOT_FOUND'
/** Too many calls to the provider are under way. */
 | 'OVERLOADED'
/** The provider is being asked too often. */
 | 'RATE_LIMITED'
/** The provider did not answer in time. */
 | 'TIMEOUT'
/** The provider's answer is larger than allowed. */
 | 'TOO_LARGE'
/** The provider did not accept the key. */
 | 'UNAUTHORIZED'
/** The connection to the provider failed. */
 | 'UNREACHABLE'
/** The provider reported a fault of its own. */
 | 'UPSTREAM_ERROR';
/** How reading a source went. */
export type WebhookSourceState = 
/** None of its rows are in the answer: see `error`. */
'FAILED'
/** It answered whole. */
 | 'OK'
/** It answered, and rows are missing: see `error`. */
 | 'PARTIAL';
export type NextPageQueryVariables = Exact<{
    after?: string | null | undefined;
}>;
export type NextPageQuery = {
    webhooks: {
        complete: boolean;
        edges: Array<{
            cursor: string;
            node: {
                id: string;
                url: string;
                lastDelivery: {
                    at: string | null;
                    succeeded: boolean | null;
                } | null;
            } | {
                id: string;
                url: string;
                lastDelivery: {
                    at: string | null;
                    succeeded: boolean | null;
                } | null;
            };
        }>;
        pageInfo: {
            hasNextPage: boolean;
            endCursor: string | null;
        };
    } | null;
};
export type WhatFailsQueryVariables = Exact<{
    [key: string]: never;
}>;
export type WhatFailsQuery = {
    webhooks: {
        totalCount: number;
        complete: boolean;
        nodes: Array<{
            lastError: string | null;
            url: string;
            provider: WebhookProvider;
            events: Array<string>;
        } | {
            lastDeliveryStatus: number | null;
            url: string;
            provider: WebhookProvider;
            events: Array<string>;
        }>;
        sources: Array<{
            state: WebhookSourceState;
            source: {
                name: string;
            };
            error: {
                code: WebhookSourceErrorCode;
                message: string;
                retryable: boolean;
            } | null;
        }>;
    } | null;
};
export type OneHostQueryVariables = Exact<{
    [key: string]: never;
}>;
export type OneHostQuery = {
    webhooks: {
        totalCount: number;
        complete: boolean;
        healthCounts: Array<{
            health: WebhookHealth;
            count: number;
        }>;
        nodes: Array<{
            id: string;
            health: WebhookHealth;
            healthReason: string;
        } | {
            id: string;
            health: WebhookHealth;
            healthReason: string;
        }>;
    } | null;
};
export type ByIdQueryVariables = Exact<{
    id: string;
}>;
export type ByIdQuery = {
    webhook: {
        url: string;
        status: string | null;
        health: WebhookHealth;
        healthReason: string;
    } | {
        url: string;
        status: string | null;
        health: WebhookHealth;
        healthReason: string;
    } | null;
    webhookSources: Array<{
        key: string;
        name: string;
        capabilities: Array<WebhookSourceCapability>;
    }> | null;
};
export type AsTheyComeQueryVariables = Exact<{
    [key: string]: never;
}>;
export type AsTheyComeQuery = {
    webhookSources: Array<{
        id: string;
        key: string;
    } & ({
        webhooks: {
            complete: boolean;
            nodes: Array<{
                id: string;
                url: string;
            } | {
                id: string;
                url: string;
            }>;
        } | null;
    } | {
        webhooks?: never;
    })> | null;
};
export declare const NextPageDocument: DocumentNode<NextPageQuery, NextPageQueryVariables>;
export declare const WhatFailsDocument: DocumentNode<WhatFailsQuery, WhatFailsQueryVariables>;
export declare const OneHostDocument: DocumentNode<OneHostQuery, OneHostQueryVariables>;
export declare const ByIdDocument: DocumentNode<ByIdQuery, ByIdQueryVariables>;
export declare const AsTheyComeDocument: DocumentNode<AsTheyComeQuery, AsTheyComeQueryVariables>;
export {};
