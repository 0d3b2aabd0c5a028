package scalers

import v2 "k8s.io/api/autoscaling/v2"

// What the other scalers' files have for the one that stays.
const externalMetricType = v2.ExternalMetricSourceType
