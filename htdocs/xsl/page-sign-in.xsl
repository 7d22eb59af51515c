<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- page-sign-in.xsl: the pages of sign-in: the start page, the word, the phone, the SMS code. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:template match="page[@name = 'start']" mode="body">
    <p><xsl:value-of select="m:text('start.intro')"/></p>
    <ul class="choices">
      <xsl:for-each select="sign-in | certificate">
        <xsl:call-template name="choice">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="key" select="concat('start.', name())"/>
        </xsl:call-template>
      </xsl:for-each>
    </ul>
  </xsl:template>

  <xsl:template match="page[@name = 'login']" mode="body">
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="1"/>
    </xsl:call-template>
    <p><xsl:value-of select="m:text('login.intro')"/></p>
    <xsl:apply-templates select="form"/>
    <p class="aside">
      <xsl:call-template name="onward">
        <xsl:with-param name="href" select="forgot/@href"/>
        <xsl:with-param name="key" select="'login.forgot'"/>
      </xsl:call-template>
    </p>
  </xsl:template>

  <xsl:template match="page[@name = 'otp']" mode="body">
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="2"/>
    </xsl:call-template>
    <xsl:apply-templates select="phone"/>
    <p><xsl:value-of select="m:text('otp.question')"/></p>
    <xsl:apply-templates select="form"/>
    <div class="aside">
      <p><xsl:value-of select="m:text('otp.otherwise', string(@organization))"/></p>
      <xsl:call-template name="sign-out">
        <xsl:with-param name="label" select="'otp.cancel'"/>
      </xsl:call-template>
    </div>
  </xsl:template>

  <xsl:template match="page[@name = 'otp-code']" mode="body">
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="3"/>
    </xsl:call-template>
    <p><xsl:value-of select="m:text('code.intro')"/></p>
    <xsl:apply-templates select="phone | code"/>
    <xsl:apply-templates select="form"/>
    <xsl:apply-templates select="resend"/>
    <xsl:call-template name="sign-out">
      <xsl:with-param name="label" select="'otp.cancel'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="phone">
    <dl class="facts">
      <div>
        <dt><xsl:value-of select="m:text('otp.phone')"/></dt>
        <dd class="number"><xsl:value-of select="@masked"/></dd>
      </div>
    </dl>
  </xsl:template>

  <xsl:template match="code">
    <xsl:call-template name="countdown">
      <xsl:with-param name="seconds" select="@seconds"/>
      <xsl:with-param name="left" select="'code.left'"/>
      <xsl:with-param name="ended" select="'code.ended'"/>
    </xsl:call-template>
    <xsl:if test="@seconds &gt; 0">
      <p class="tries"><xsl:value-of select="m:text('code.tries', string(@tries))"/></p>
    </xsl:if>
  </xsl:template>

  <xsl:template match="resend">
    <form class="aside" method="post" action="{@action}">
      <xsl:apply-templates select="@mark"/>
      <h2><xsl:value-of select="m:text('code.resend')"/></h2>
      <xsl:call-template name="countdown">
        <xsl:with-param name="seconds" select="@seconds"/>
        <xsl:with-param name="left" select="'code.resend.left'"/>
        <xsl:with-param name="ended" select="'code.resend.open'"/>
      </xsl:call-template>
      <button type="submit"><xsl:value-of select="m:text('code.resend.button')"/></button>
    </form>
  </xsl:template>

</xsl:stylesheet>
