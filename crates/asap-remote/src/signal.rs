//! What an HTTP status and its body say about a failure: which kind it is, and whether and when to try again.

use std::time::Duration;

use asap_core::chat::ChatFailureKind;
use serde_json::Value;

use crate::date::parse_http_date;

/// Whether a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// A second try would end the same.
    Never,
    /// Whenever the policy says.
    Later,
    /// Not before the server is ready.
    After(Duration),
}

/// A failed response, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) kind: ChatFailureKind,
    pub(crate) retry: Retry,
    /// One line.
    pub(crate) message: String,
    /// The parameter that the server names as the wrong one.
    pub(crate) parameter: Option<String>,
    /// The server's own word for what is wrong, such as `insufficient_quota`.
    pub(crate) code: Option<String>,
    /// The body of the response.
    pub(crate) body: String,
    /// Whether it is certain that the server did not do what was asked.
    pub(crate) is_surely_undone: bool,
    /// Whether the server may have done and billed it, though no whole response came.
    pub(crate) is_unanswered: bool,
}

/// A failed response as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed<'a> {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// The time of the answer, for dates in `Retry-After`.
    pub(crate) unix_secs: u64,
}

impl Failed<'_> {
    /// Reads the forms of Google, OpenAI and ComfyUI; anything else is quoted.
    pub(crate) fn understand(&self) -> Signal {
        let json: Value = serde_json::from_slice(self.body).unwrap_or_default();
        // Gemini's OpenAI-compatible server wraps its errors into an array.
        let error = json.get(0).unwrap_or(&json)["error"].clone();
        let word = |name: &str| error[name].as_str().map(str::to_owned);
        let said = match error.as_str() {
            Some(text) => Some(text.to_owned()),
            None => word("message"),
        };
        let quota = Quota::of(&error);
        let code = word("code").or_else(|| word("status")).or_else(|| word("type"));
        let kind = self.kind(
            &error,
            said.as_deref().unwrap_or_default(),
            code.as_deref(),
            quota,
        );
        let delay = retry_info(&error).or_else(|| self.retry_after());
        let retry = match (is_retryable(kind, self.status), delay) {
            (false, _) => Retry::Never,
            (true, Some(delay)) => Retry::After(delay),
            (true, None) => Retry::Later,
        };
        Signal {
            kind,
            retry,
            message: self.message(said.as_deref(), &json),
            parameter: word("param"),
            code,
            body: String::from_utf8_lossy(self.body).into_owned(),
            is_surely_undone: self.is_surely_undone(kind),
            is_unanswered: false,
        }
    }

    fn kind(&self, error: &Value, said: &str, code: Option<&str>, quota: Quota) -> ChatFailureKind {
        let is_exhausted = code == Some("RESOURCE_EXHAUSTED");
        match self.status {
            // Money, not time: waiting does not help.
            429 if code == Some("insufficient_quota") => ChatFailureKind::Denied,
            429 | 503 if quota == Quota::Day || says_daily(said) => ChatFailureKind::DailyQuota,
            429 => ChatFailureKind::RateLimited,
            503 if is_exhausted => ChatFailureKind::RateLimited,
            // Gemini answers 400 to a wrong key.
            400 if reasons(error).any(|reason| reason == "API_KEY_INVALID") => ChatFailureKind::Denied,
            401 | 403 => ChatFailureKind::Denied,
            408 => ChatFailureKind::Timeout,
            500..=599 => ChatFailureKind::Server,
            _ => ChatFailureKind::Rejected,
        }
    }

    /// A server that refuses has not begun; one that waited too long (408, 499) may have.
    fn is_surely_undone(&self, kind: ChatFailureKind) -> bool {
        let is_limit = matches!(kind, ChatFailureKind::RateLimited | ChatFailureKind::DailyQuota);
        is_limit || (matches!(self.status, 400..=498) && self.status != 408)
    }

    /// `Retry-After`, in seconds or as a date.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.retry_after?.trim();
        if let Ok(secs) = text.parse() {
            return Some(Duration::from_secs(secs));
        }
        let until = parse_http_date(text)?;
        Some(Duration::from_secs(until.saturating_sub(self.unix_secs)))
    }

    fn message(&self, said: Option<&str>, json: &Value) -> String {
        let mut text = format!("status {}", self.status);
        let node_errors = json["node_errors"]
            .as_object()
            .filter(|errors| !errors.is_empty());
        match said {
            Some(said) => text.push_str(&format!(": {}", quote(said))),
            None if self.body.is_empty() => text.push_str(" without a body"),
            None => text.push_str(&format!(": {}", quote(&String::from_utf8_lossy(self.body)))),
        }
        for (node, errors) in node_errors.into_iter().flatten() {
            let class = errors["class_type"].as_str().unwrap_or("?");
            let what = errors["errors"][0]["message"].as_str().unwrap_or("?");
            let details = errors["errors"][0]["details"].as_str().unwrap_or_default();
            text.push_str(&quote(&format!("; node {node} ({class}): {what} {details}")));
        }
        text
    }
}

fn is_retryable(kind: ChatFailureKind, status: u16) -> bool {
    match kind {
        ChatFailureKind::RateLimited | ChatFailureKind::Timeout => true,
        ChatFailureKind::Server => matches!(status, 500 | 502 | 503 | 504),
        _ => false,
    }
}

/// The longest quota that Google names as violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quota {
    Day,
    ShorterOrNone,
}

impl Quota {
    fn of(error: &Value) -> Self {
        let violations = details(error, "google.rpc.QuotaFailure")
            .filter_map(|detail| detail["violations"].as_array())
            .flatten();
        let mut ids = violations.filter_map(|violation| violation["quotaId"].as_str());
        if ids.any(|id| id.contains("PerDay")) {
            return Self::Day;
        }
        Self::ShorterOrNone
    }
}

/// OpenAI names its limits in the text alone: `on requests per day (RPD): Limit 200`.
fn says_daily(message: &str) -> bool {
    ["requests per day", "tokens per day", "(RPD)", "(TPD)"]
        .iter()
        .any(|words| message.contains(words))
}

fn details<'a>(error: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = error["details"].as_array().into_iter().flatten();
    all.filter(move |detail| detail["@type"].as_str().is_some_and(|name| name.ends_with(kind)))
}

fn reasons(error: &Value) -> impl Iterator<Item = &str> {
    details(error, "google.rpc.ErrorInfo").filter_map(|detail| detail["reason"].as_str())
}

/// `RetryInfo.retryDelay` such as `58s` or `58.25s`, and one second more: at the very moment that it names,
/// the window of the quota is often not open yet.
fn retry_info(error: &Value) -> Option<Duration> {
    let delay = details(error, "google.rpc.RetryInfo").find_map(|detail| detail["retryDelay"].as_str())?;
    let secs: f64 = delay.strip_suffix('s')?.parse().ok()?;
    Some(Duration::try_from_secs_f64(secs).ok()? + Duration::from_secs(1))
}

/// A text from a server on one line of 300 characters.
pub(crate) fn quote(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= 300 {
        return line;
    }
    line.chars().take(299).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Kind, retry and message of a failed response, in one line.
    fn understood(status: u16, retry_after: Option<&str>, body: &str) -> String {
        let signal = Failed {
            status,
            retry_after,
            body: body.as_bytes(),
            unix_secs: 784_111_777, // Sun, 06 Nov 1994 08:49:37 GMT
        }
        .understand();
        format!("{:?} {:?} {}", signal.kind, signal.retry, signal.message)
    }

    fn google(status: &str, details: Value) -> String {
        json!({"error": {"code": 429, "message": "Slow down", "status": status, "details": details}})
            .to_string()
    }

    #[test]
    fn statuses_alone() {
        for (status, expected) in [
            (400, "Rejected Never"),
            (401, "Denied Never"),
            (403, "Denied Never"),
            (404, "Rejected Never"),
            (408, "Timeout Later"),
            (413, "Rejected Never"),
            (429, "RateLimited Later"),
            (500, "Server Later"),
            (501, "Server Never"),
            (502, "Server Later"),
            (503, "Server Later"),
            (504, "Server Later"),
            (307, "Rejected Never"),
        ] {
            assert_eq!(
                understood(status, None, ""),
                format!("{expected} status {status} without a body")
            );
        }
    }

    #[test]
    fn google_says_how_long_and_which_quota() {
        let retry = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "58s"});
        let quota = |id: &str| json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]});
        let minute = quota("GenerateRequestsPerMinutePerProjectPerModel");
        let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
        let body = google("RESOURCE_EXHAUSTED", json!([minute, retry]));
        assert_eq!(
            understood(429, None, &body),
            "RateLimited After(59s) status 429: Slow down"
        );
        // The header is for servers that say nothing better.
        assert_eq!(
            understood(503, Some("3"), &body),
            "RateLimited After(59s) status 503: Slow down"
        );
        let body = google("RESOURCE_EXHAUSTED", json!([day, retry]));
        assert_eq!(
            understood(429, None, &body),
            "DailyQuota Never status 429: Slow down"
        );
        let wrapped = format!("[{}]", google("RESOURCE_EXHAUSTED", json!([day])));
        assert_eq!(
            understood(429, None, &wrapped),
            "DailyQuota Never status 429: Slow down"
        );
        let key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
        assert_eq!(
            understood(400, None, &google("INVALID_ARGUMENT", key)),
            "Denied Never status 400: Slow down"
        );
        assert_eq!(
            understood(503, None, &google("UNAVAILABLE", json!([]))),
            "Server Later status 503: Slow down"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let body = r#"{"error": "busy"}"#;
        for (header, expected) in [
            ("7", "After(7s)"),
            ("Sun, 06 Nov 1994 08:50:37 GMT", "After(60s)"),
            ("Sun, 06 Nov 1994 08:00:00 GMT", "After(0ns)"),
            ("soon", "Later"),
        ] {
            let text = understood(429, Some(header), body);
            assert_eq!(text, format!("RateLimited {expected} status 429: busy"));
        }
        assert_eq!(understood(401, Some("7"), body), "Denied Never status 401: busy");
    }

    #[test]
    fn openai_names_the_day_in_words_and_money_by_code() {
        let body = r#"{"error": {"message": "Rate limit reached on requests per day (RPD): Limit 200"}}"#;
        assert!(understood(429, None, body).starts_with("DailyQuota Never"));
        let body = r#"{"error": {"message": "Check your plan", "code": "insufficient_quota"}}"#;
        assert_eq!(
            understood(429, None, body),
            "Denied Never status 429: Check your plan"
        );
    }

    #[test]
    fn what_is_no_json_is_quoted_on_one_line() {
        assert_eq!(
            understood(502, None, "<html>\n Bad\tgateway </html>"),
            "Server Later status 502: <html> Bad gateway </html>"
        );
        let long = understood(500, None, &"é".repeat(1000));
        assert_eq!(long.chars().count(), "Server Later status 500: ".len() + 300);
    }

    #[test]
    fn comfy_names_the_node() {
        let body = json!({
            "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
            "node_errors": {"4": {"class_type": "UNETLoader", "errors": [
                {"message": "Value not in list", "details": "unet_name: 'flux' not in []"}]}},
        });
        assert_eq!(
            understood(400, None, &body.to_string()),
            "Rejected Never status 400: Prompt outputs failed validation; node 4 (UNETLoader): \
             Value not in list unet_name: 'flux' not in []"
        );
    }
}
