//! The engines of kafka-backup-core as a program, to be measured by `make bench-peers`: it does what the configuration in the file that is its
//! argument says, a backup or a restore.

use kafka_backup_core::{backup::BackupEngine, config::Mode, Config, RestoreEngine};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result {
    let path = std::env::args().nth(1).ok_or("usage: peers CONFIG.yaml")?;
    let (config, unknown) = Config::from_yaml_with_warnings(&std::fs::read_to_string(path)?)?;
    if !unknown.is_empty() {
        return Err(format!("unknown keys: {}", unknown.join(", ")).into());
    }
    match config.mode {
        Mode::Backup => BackupEngine::new(config).await?.run().await?,
        Mode::Restore => {
            RestoreEngine::new(config)?.run().await?;
        }
    }
    Ok(())
}
