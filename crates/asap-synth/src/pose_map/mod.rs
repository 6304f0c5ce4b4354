//! OpenPose-style pose maps.
