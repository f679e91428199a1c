//! Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0,
//! section 3.1). Outgoing HTTP is a port; the binary fills it in.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc};

use model::{Problem, Timestamp};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthenticationFlow, AuthorizationCode, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
    http,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::{Grants, TrustError, users::External};

/// What the provider says of itself, with its keys, is asked again after this long, seconds.
const METADATA_S_MAX: f64 = 3_600.0;
/// Roles that one person can bring along.
const ROLES_MAX: usize = 1_000;

/// A request that trust wants to be made.
pub type HttpRequest = http::Request<Vec<u8>>;
/// The answer to it.
pub type HttpResponse = http::Response<Vec<u8>>;
/// The answer, later.
pub type HttpFuture = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send>>;
/// How trust makes requests. It must not follow redirects, and must bound time and size.
pub type HttpPort = Arc<dyn Fn(HttpRequest) -> HttpFuture + Send + Sync>;

/// The port in the words of the library. A type of its own, because a borrowing closure makes a future that cannot be
/// shown to be `Send`.
struct Port(HttpPort);

impl<'c> AsyncHttpClient<'c> for Port {
    type Error = HttpFailure;
    type Future = HttpFuture;

    fn call(&'c self, request: HttpRequest) -> HttpFuture {
        (self.0)(request)
    }
}

/// A request that could not be made, in words without secrets.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HttpFailure(pub String);

/// The provider, as an operator configures it.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// The name on the sign-in button.
    pub name: String,
    /// The issuer's address; its description is read from /.well-known/openid-configuration below it.
    pub issuer: String,
    /// The id under which Polder is registered there.
    pub client_id: String,
    /// The secret of that registration; better given in the environment than in a file.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Scopes to ask for besides openid.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// The claim that lists a person's groups or roles at the provider.
    #[serde(default = "usual_claim")]
    pub roles_claim: String,
    /// Which roles each of those values gives here: `role`, or `tenant:role`.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Roles of everybody whom the provider signs in.
    #[serde(default)]
    pub everyone: Vec<String>,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn usual_scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn usual_claim() -> String {
    "roles".to_owned()
}

/// Claims beyond the standard ones, by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Relying = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What must be remembered between leaving for the provider and coming back. Bound to the browser by a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journey {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// A person as the provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub external: External,
    pub display_name: String,
    pub grants: Grants,
}

/// A provider that people can sign in with.
pub struct Oidc {
    settings: OidcSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    everyone: Vec<String>,
    http: HttpPort,
    metadata: Mutex<Option<(Arc<CoreProviderMetadata>, Timestamp)>>,
}

impl Oidc {
    /// A provider. `redirect` is where it sends people back to: `/api/v1/session/oidc/callback` at the public address.
    ///
    /// # Errors
    /// A setting is not what it should be: it is named with the remedy.
    pub fn new(settings: OidcSettings, redirect: &Url, http: HttpPort) -> Result<Self, Problem> {
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| {
            Problem::new(
                "oidc.issuer",
                format!("{error}"),
                "give the issuer's address, such as https://login.example.nl",
            )
        })?;
        for roles in settings.roles.values().chain([&settings.everyone]) {
            Grants::parse(roles.iter().map(String::as_str))?;
        }
        let everyone = settings.everyone.clone();
        let redirect = RedirectUrl::from_url(redirect.clone());
        Ok(Self { settings, issuer, redirect, everyone, http, metadata: Mutex::new(None) })
    }

    /// The name on the sign-in button.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Where to send the browser, and what to remember meanwhile.
    pub(crate) async fn start(&self, now: Timestamp) -> Result<(Url, Journey), TrustError> {
        let client = self.client(now, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let flow: CoreAuthenticationFlow = AuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        let journey =
            Journey { state: state.into_secret(), nonce: nonce.secret().clone(), verifier: verifier.into_secret() };
        Ok((url, journey))
    }

    /// Exchanges the code for the person, and verifies every word of it.
    pub(crate) async fn finish(&self, journey: Journey, code: String, now: Timestamp) -> Result<Vouched, TrustError> {
        let client = self.client(now, false).await?;
        let verifier = PkceCodeVerifier::new(journey.verifier);
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(|e| self.failed(&e))?;
        let http = Port(Arc::clone(&self.http));
        let tokens: Tokens =
            exchange.set_pkce_verifier(verifier).request_async(&http).await.map_err(|e| self.failed(&e))?;
        let nonce = Nonce::new(journey.nonce);
        let claims = match self.verified(&client, &tokens, &nonce, now) {
            // The provider may have changed its keys since they were read.
            Err(_) => self.verified(&self.client(now, true).await?, &tokens, &nonce, now)?,
            Ok(claims) => claims,
        };
        let more = self.user_info(&client, &tokens, &claims.0).await?;
        Ok(self.vouched(claims, more))
    }

    /// The subject and the claims of a verified ID token.
    fn verified(&self, client: &Relying, tokens: &Tokens, nonce: &Nonce, now: Timestamp) -> Result<Claims, TrustError> {
        let id_token = tokens.id_token().ok_or_else(|| self.failed(&"it sent no ID token"))?;
        let moment = chrono::DateTime::from_timestamp_micros(now.micros()).unwrap_or_default();
        let verifier = client.id_token_verifier().set_time_fn(move || moment);
        let claims = id_token.claims(&verifier, nonce).map_err(|e| self.failed(&e))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|e| self.failed(&e))?;
            let key = id_token.signing_key(&verifier).map_err(|e| self.failed(&e))?;
            let hash =
                AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(|e| self.failed(&e))?;
            if hash != *expected {
                return Err(self.failed(&"the access token does not belong to the ID token"));
            }
        }
        let name = claims.preferred_username().map(|name| name.as_str().to_owned());
        Ok(Claims(claims.subject().as_str().to_owned(), name, claims.additional_claims().clone()))
    }

    /// The claims that the provider only tells at its user-info endpoint.
    async fn user_info(&self, client: &Relying, tokens: &Tokens, subject: &str) -> Result<Claims, TrustError> {
        let expected = openidconnect::SubjectIdentifier::new(subject.to_owned());
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(expected)) else {
            return Ok(Claims::default());
        };
        let http = Port(Arc::clone(&self.http));
        let claims: UserInfoClaims<OtherClaims, CoreGenderClaim> =
            request.request_async(&http).await.map_err(|e| self.failed(&e))?;
        let name = claims.preferred_username().map(|name| name.as_str().to_owned());
        Ok(Claims(subject.to_owned(), name, claims.additional_claims().clone()))
    }

    fn vouched(&self, Claims(subject, name, claims): Claims, more: Claims) -> Vouched {
        let display_name = name.or(more.1).unwrap_or_else(|| subject.clone());
        let mut roles: Vec<&str> = self.everyone.iter().map(String::as_str).collect();
        for source in [&claims, &more.2] {
            let values = source.0.get(&self.settings.roles_claim).map(texts).unwrap_or_default();
            let known = values.into_iter().take(ROLES_MAX).filter_map(|value| self.settings.roles.get(value));
            roles.extend(known.flatten().map(String::as_str));
        }
        // The settings were checked at the start, so every role parses.
        let grants = Grants::parse(roles).unwrap_or_default();
        let external = External { issuer: self.settings.issuer.clone(), subject };
        Vouched { external, display_name: display_name.chars().take(100).collect(), grants }
    }

    async fn client(&self, now: Timestamp, fresh: bool) -> Result<Relying, TrustError> {
        let mut known = self.metadata.lock().await;
        let usable = known.as_ref().filter(|(_, at)| !fresh && now.seconds_since(*at) < METADATA_S_MAX);
        let metadata = if let Some((metadata, _)) = usable {
            Arc::clone(metadata)
        } else {
            let http = Port(Arc::clone(&self.http));
            let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &http);
            let found = Arc::new(found.await.map_err(|e| self.failed(&e))?);
            *known = Some((Arc::clone(&found), now));
            found
        };
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.settings.client_id.clone());
        let client: Relying = Client::from_provider_metadata((*metadata).clone(), id, secret);
        Ok(client.set_redirect_uri(self.redirect.clone()))
    }

    fn failed(&self, error: &dyn fmt::Display) -> TrustError {
        TrustError::Provider { provider: self.settings.name.clone(), detail: error.to_string() }
    }
}

/// The subject, the preferred name and the other claims.
#[derive(Default)]
struct Claims(String, Option<String>, OtherClaims);

/// A claim that is a text or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}
