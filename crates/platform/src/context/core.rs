//! The terms of the NGSI-LD core `@context` (ETSI GS CIM 009 V1.9.1, annex B), built in: never fetched.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;
use model::{Iri, NGSI_LD};

/// The address written into answers for the core context.
pub const CORE_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld";

/// Whether an address is one of the published versions of the core context.
pub(super) fn is_core(url: &str) -> bool {
    let bare = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    let name = bare.strip_prefix("uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context");
    let version = name.and_then(|name| name.strip_suffix(".jsonld"));
    version.is_some_and(|version| {
        let number = version.strip_prefix("-v").unwrap_or(version);
        number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// Terms whose IRI is the namespace followed by the term.
const PLAIN: &str = "Attribute AttributeList ContextSourceIdentity ContextSourceNotification \
    ContextSourceRegistration Date DateTime EntityType EntityTypeInfo EntityTypeList ExecutionResultDetails \
    GeoProperty JsonProperty LanguageProperty ListProperty ListRelationship Notification Property Relationship \
    Snapshot SnapshotNotification Subscription TemporalProperty Time VocabProperty accept aggrMethods aggrParams \
    aggrPeriodDuration attributeList attributeName attributeNames attributeTypes attributes attrs avg cacheDuration \
    collation contextSourceAlias contextSourceExtras contextSourceInfo contextSourceTimeAt contextSourceUptime \
    cooldown createdAt csf data datasetId deletedAt detail distinctCount endAt endTimeAt endpoint entities entity \
    entityCount entityId entityList error errors expandValues expiresAt format geoQ geoproperty georel idPattern \
    information instanceId isActive join jsonKeys jsons lang lastFailure lastNotification lastSuccess lastUsedAt \
    linkedMaps localOnly location management managementInterval max min mode modifiedAt ngsildproof notUpdated \
    notification notificationTrigger notifiedAt notifierInfo observationInterval observationSpace observedAt omit \
    operationSpace operations orderBy ordering pick propertyNames q reason receiverInfo refreshRate registrationId \
    registrationName relationshipNames resultStatus scope scopeQ showChanges snapshotId snapshotLifetime \
    snapshotPriority snapshotQueries snapshotQueriesDetails snapshotStatus snapshotTemporalQueries \
    snapshotTemporalQueriesDetails startAt status stddev subscriptionId subscriptionName success sum sumsq sysAttrs \
    temporalQ tenant throttling timeAt timeInterval timeout timeproperty timerel timesFailed timesSent totalCount \
    triggerReason typeList typeName typeNames unchanged unitCode updated uri watchedAttributes";

/// Terms whose IRI is the namespace followed by `has` and something.
const RENAMED: &[(&str, &str)] = &[
    ("containedBy", "isContainedBy"),
    ("dataset", "hasDataset"),
    ("entityMap", "hasEntityMap"),
    ("joinLevel", "hasJoinLevel"),
    ("json", "hasJSON"),
    ("key", "hasKey"),
    ("languageMap", "hasLanguageMap"),
    ("languageMaps", "hasLanguageMaps"),
    ("object", "hasObject"),
    ("objectList", "hasObjectList"),
    ("objectLists", "hasObjectLists"),
    ("objectType", "hasObjectType"),
    ("objects", "hasObjects"),
    ("previousJson", "hasPreviousJson"),
    ("previousLanguageMap", "hasPreviousLanguageMap"),
    ("previousObject", "hasPreviousObject"),
    ("previousObjectList", "hasPreviousObjectList"),
    ("previousValue", "hasPreviousValue"),
    ("previousValueList", "hasPreviousValueList"),
    ("previousVocab", "hasPreviousVocab"),
    ("value", "hasValue"),
    ("valueList", "hasValueList"),
    ("valueLists", "hasValueLists"),
    ("valueType", "hasValueType"),
    ("values", "hasValues"),
    ("vocab", "hasVocab"),
    ("vocabs", "hasVocabs"),
];

/// Terms of the GeoJSON vocabulary.
const GEOJSON: &str = "Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon \
    Point Polygon bbox coordinates features geometry properties";

/// Terms of other vocabularies, and the two prefixes.
const OTHER: &[(&str, &str)] = &[
    ("description", "http://purl.org/dc/terms/description"),
    ("geojson", "https://purl.org/geojson/vocab#"),
    ("langString", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"),
    ("ngsi-ld", NGSI_LD),
    ("title", "http://purl.org/dc/terms/title"),
];

/// The namespaces of the core context that serve as prefixes, longest first.
pub(super) const PREFIXES: [(&str, &str); 2] = [("https://purl.org/geojson/vocab#", "geojson"), (NGSI_LD, "ngsi-ld")];

pub(super) struct Core {
    pub terms: HashMap<&'static str, Iri, RandomState>,
    pub names: HashMap<Iri, &'static str, RandomState>,
}

/// The core terms, both ways.
pub(super) static CORE: LazyLock<Core> = LazyLock::new(|| {
    let plain = PLAIN.split_whitespace().map(|term| (term, format!("{NGSI_LD}{term}")));
    let renamed = RENAMED.iter().map(|(term, name)| (*term, format!("{NGSI_LD}{name}")));
    let geojson = GEOJSON.split_whitespace().map(|term| (term, format!("https://purl.org/geojson/vocab#{term}")));
    let other = OTHER.iter().map(|(term, iri)| (*term, (*iri).to_owned()));
    let terms: HashMap<&'static str, Iri, RandomState> =
        plain.chain(renamed).chain(geojson).chain(other).map(|(term, iri)| (term, Iri::new(iri))).collect();
    let names = terms.iter().map(|(term, iri)| (iri.clone(), *term)).collect();
    Core { terms, names }
});
