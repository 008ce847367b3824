//! How grave a call is.

use sernixa::{DataSensitivity, OperationClass, RiskLevel};

use crate::proxy::config::Rules;

/// What is submitted of a call's gravity.
pub(super) struct Facts {
    pub(super) risk: RiskLevel,
    pub(super) class: OperationClass,
    pub(super) sensitivity: DataSensitivity,
}

pub(super) fn classify(_rules: &Rules, _tool: &str) -> Facts {
    Facts {
        risk: RiskLevel::Medium,
        class: OperationClass::ToolCall,
        sensitivity: DataSensitivity::Internal,
    }
}
