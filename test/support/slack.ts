/**
 * Milliseconds that a busy machine may add to a time that is promised. Without what the test looks at, that time would be many
 * seconds longer, or have no end; how close we come to what is promised, the chaos suites measure while nothing else runs.
 */
export const slackMs = 4000;
