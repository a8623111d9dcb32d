//! Which ids a captcha may have, and how it is used up.

use super::*;

#[test]
fn an_id_is_short_and_plain() {
    for good in ["a", "web-1.2_3", "0b1e4f2c-9d0a-4c1e-8f7a-3b2d1c0e9f8a", &"x".repeat(64)] {
        assert_eq!(CaptchaId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a/b", "a#b", "号", &"x".repeat(65)] {
        assert!(CaptchaId::parse(bad).is_err(), "{bad:?}");
    }
}

mod drawn {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::crypto::SystemRandom;

    #[derive(Default)]
    struct World {
        kept: Mutex<HashMap<String, KeptCaptcha>>,
        now: AtomicI64,
    }

    #[async_trait]
    impl CaptchaStore for World {
        async fn keep(&self, api: &str, id: &CaptchaId, captcha: &KeptCaptcha) -> Result<()> {
            self.kept.lock().unwrap().insert(format!("{api} {}", id.as_str()), captcha.clone());
            Ok(())
        }

        async fn take(&self, api: &str, id: &CaptchaId) -> Result<Option<KeptCaptcha>> {
            Ok(self.kept.lock().unwrap().remove(&format!("{api} {}", id.as_str())))
        }
    }

    impl Clock for World {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.now.load(Ordering::SeqCst))
        }
    }

    fn captchas() -> (Arc<World>, Captchas, CaptchaId) {
        let world = Arc::new(World::default());
        let captchas = Captchas {
            lifetime: Duration::from_mins(3),
            clock: world.clone(),
            random: Arc::new(SystemRandom),
            keys: Arc::new(Keys::for_tests()),
            store: world.clone(),
        };
        (world, captchas, CaptchaId::parse("an-id").unwrap())
    }

    #[tokio::test]
    async fn what_was_read_is_right_once_in_small_and_capital_letters() {
        let (_, captchas, id) = captchas();
        for read in [str::to_lowercase, str::to_uppercase, |text: &str| format!(" {text} ")] {
            let (_, text) = captchas.draw("web", &id).await.unwrap();
            captchas.check("web", &id, &read(&text)).await.unwrap();
            assert!(matches!(captchas.check("web", &id, &text).await, Err(Error::CaptchaExpired)));
        }
    }

    #[tokio::test]
    async fn a_wrong_reading_spends_the_captcha() {
        let (_, captchas, id) = captchas();
        let (_, text) = captchas.draw("web", &id).await.unwrap();
        assert!(matches!(captchas.check("web", &id, "0000").await, Err(Error::CaptchaWrong)));
        assert!(matches!(captchas.check("web", &id, &text).await, Err(Error::CaptchaExpired)));
    }

    #[tokio::test]
    async fn a_captcha_is_of_its_api_and_its_time_and_the_latest_counts() {
        let (world, captchas, id) = captchas();
        let (_, text) = captchas.draw("web", &id).await.unwrap();
        assert!(matches!(captchas.check("sealtalk", &id, &text).await, Err(Error::CaptchaExpired)));
        let (_, newer) = captchas.draw("web", &id).await.unwrap();
        if newer != text {
            assert!(matches!(captchas.check("web", &id, &text).await, Err(Error::CaptchaWrong)));
        }
        let (_, text) = captchas.draw("web", &id).await.unwrap();
        world.now.fetch_add(180_000, Ordering::SeqCst);
        assert!(matches!(captchas.check("web", &id, &text).await, Err(Error::CaptchaExpired)));
    }

    #[tokio::test]
    async fn neither_text_nor_anything_guessable_is_kept() {
        let (world, captchas, id) = captchas();
        let (_, text) = captchas.draw("web", &id).await.unwrap();
        let kept = world.kept.lock().unwrap().values().next().unwrap().clone();
        assert_eq!(kept.digest.len(), 32);
        assert!(!kept.digest.windows(4).any(|window| window.eq_ignore_ascii_case(text.as_bytes())));
        assert_ne!(kept.digest, captchas.keys.code_digest("captcha web other", &text.to_lowercase()));
    }

    #[test]
    fn a_picture_is_a_jpeg_and_a_png_of_one_size() {
        let picture = Picture::of("3A7K", &SystemRandom);
        for (bytes, format) in
            [(picture.jpeg().unwrap(), image::ImageFormat::Jpeg), (picture.png().unwrap(), image::ImageFormat::Png)]
        {
            let decoded = image::load_from_memory_with_format(&bytes, format).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (160, 60));
        }
    }
}
